#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "text/tokenizer.h"
#include "text/word_key.h"

namespace {

using brasa::is_white_space;

struct Recorder {
  std::vector<std::string> tokens;
  void word(const char* bytes, std::size_t length) { tokens.emplace_back(bytes, length); }
  void line_end() { tokens.emplace_back("\n"); }
};

std::vector<std::string> split(const std::string& text) {
  const std::string padded = text + std::string(brasa::kTextPadding, ' ');
  Recorder recorder;
  brasa::tokenize(padded.data(), text.size(), recorder);
  return recorder.tokens;
}

// The definition, byte by byte.
std::vector<std::string> split_slowly(const std::string& text) {
  std::vector<std::string> tokens;
  std::string word;
  for (const char c : text + " ") {
    if (!is_white_space(c)) {
      word += c;
      continue;
    }
    if (!word.empty()) tokens.push_back(word);
    word.clear();
    if (c == '\n') tokens.emplace_back("\n");
  }
  return tokens;
}

TEST_CASE("every byte is white space exactly if it is one of six") {
  std::string bytes(256, '\0');
  for (std::size_t i = 0; i < 256; ++i) bytes[i] = static_cast<char>(i);
  for (std::size_t begin = 0; begin < 256; begin += 64) {
    const std::uint64_t mask = brasa::white_space_mask(bytes.data() + begin);
    for (std::size_t i = 0; i < 64; ++i) {
      const bool expected =
          std::strchr(" \t\n\v\f\r", bytes[begin + i]) != nullptr && begin + i != 0;
      CAPTURE(begin + i);
      CHECK(((mask >> i) & 1) == (expected ? 1 : 0));
      CHECK(is_white_space(bytes[begin + i]) == expected);
    }
  }
}

TEST_CASE("text is split as its definition says, wherever words lie in the windows") {
  CHECK(split("").empty());
  CHECK(split("\n\n") == std::vector<std::string>{"\n", "\n"});
  CHECK(split(" a\tb\r\nc") == std::vector<std::string>{"a", "b", "\n", "c"});
  std::mt19937 random(1);
  const std::string alphabet = "ab\xc3\xa9\xff      \n\t\v\f\r";
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 200, ' ');
    for (char& c : text) c = random() % 3 == 0 ? alphabet[random() % alphabet.size()] : 'x';
    CAPTURE(text);
    REQUIRE(split(text) == split_slowly(text));
  }
}

TEST_CASE("short keys are equal only for equal words, and do not see what follows") {
  const std::string a = "abcdefghijklmnopqrstuvwxyz";
  for (std::size_t n = 0; n <= brasa::kMaxShortWord; ++n) {
    std::string other = a;
    for (std::size_t i = n; i < other.size(); ++i) other[i] = '#';
    CHECK(brasa::padded_short_key(a.data(), n) == brasa::padded_short_key(other.data(), n));
    CHECK(brasa::padded_short_key(a.data(), n) == brasa::short_key(a.substr(0, n)));
    for (std::size_t m = 0; m < n; ++m) {
      CHECK_FALSE(brasa::padded_short_key(a.data(), n) == brasa::padded_short_key(a.data(), m));
    }
  }
}

}  // namespace
