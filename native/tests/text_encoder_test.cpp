#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "text/corpus_encoder.h"
#include "text/tokenizer.h"
#include "text/vocabulary_merge.h"
#include "text/word_index.h"

namespace {

using brasa::CorpusEncoder;
using brasa::EncoderOptions;

struct Encoded {
  std::vector<std::string> words;
  std::vector<std::int64_t> counts;
  std::vector<std::int32_t> ids;
  bool operator==(const Encoded&) const = default;
};

Encoded encode(const std::string& text, std::int64_t min_count, const EncoderOptions& options,
               std::size_t piece = std::string::npos) {
  CorpusEncoder encoder(options, [] {});
  encoder.begin_source("test");
  for (std::size_t i = 0; i < text.size(); i += std::min(piece, text.size())) {
    encoder.feed(std::string_view(text).substr(i, piece));
  }
  encoder.finish(min_count, std::nullopt);
  const brasa::MergedVocabulary& found = encoder.vocabulary();
  Encoded result;
  for (std::size_t i = 0; i < found.counts.size(); ++i) {
    result.words.emplace_back(found.arena.data() + found.offsets[i],
                              found.arena.data() + found.offsets[i + 1]);
  }
  result.counts = found.counts;
  result.ids.resize(static_cast<std::size_t>(found.n_kept_tokens));
  encoder.write_ids(result.ids);
  return result;
}

// The definition, with a map.
Encoded encode_slowly(const std::string& text, std::int64_t min_count) {
  std::vector<std::string> tokens;
  std::string word;
  for (const char c : text + " ") {
    if (!brasa::is_white_space(c)) {
      word += c;
      continue;
    }
    if (!word.empty()) tokens.push_back(std::exchange(word, {}));
    if (c == '\n') tokens.emplace_back("</s>");
  }
  std::map<std::string, std::int64_t> counts;
  for (const std::string& token : tokens) ++counts[token];
  std::vector<std::pair<std::int64_t, std::string>> order;
  for (const auto& [token, count] : counts) {
    if (count >= min_count) order.emplace_back(-count, token);
  }
  std::sort(order.begin(), order.end());
  Encoded result;
  std::map<std::string, std::int32_t> index;
  for (const auto& [count, token] : order) {
    index[token] = static_cast<std::int32_t>(result.words.size());
    result.words.push_back(token);
    result.counts.push_back(-count);
  }
  for (const std::string& token : tokens) {
    if (index.contains(token)) result.ids.push_back(index[token]);
  }
  return result;
}

// Words of all lengths around the limits of short ones, as frequent as words are; `mean_line` 0 is
// one line.
std::string random_text(std::size_t n_words, unsigned mean_line, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  for (std::size_t i = 0; i < n_words; ++i) {
    const auto rank = static_cast<unsigned>(20000.0 / (1.0 + random() % 20000));
    text += std::to_string(rank) + std::string(rank % 23, 'x');
    text += mean_line > 0 && random() % mean_line == 0 ? '\n' : " \t\v\f\r "[random() % 6];
  }
  return text;
}

TEST_CASE("a table that grows keeps the numbers and counts of its words") {
  constexpr std::uint32_t kWords = 100'000;  // six for each slot that it begins with
  const auto word = [](std::uint32_t i) {    // every third too long for a key of 15 bytes
    return (i % 3 == 0 ? "a-long-beginning-" : "w") + std::to_string(i);
  };
  brasa::WordTable table;
  for (std::uint32_t i = 0; i < kWords; ++i) REQUIRE(table.add(word(i)) == i);
  for (std::uint32_t i = 0; i < kWords; i += 7) REQUIRE(table.add(word(i), 4) == i);
  for (std::uint32_t i = 0; i < kWords; ++i) {
    REQUIRE(table.word(table.entries()[i]) == word(i));
    REQUIRE(table.entries()[i].count == (i % 7 == 0 ? 5 : 1));
  }
}

TEST_CASE("words, counts and ids are those of the definition, for any threads and pieces") {
  const std::string text = random_text(900'000, 9, 1);  // several blocks
  REQUIRE(text.size() > 2 * brasa::kBlockBytes);
  const Encoded expected = encode_slowly(text, 3);
  for (const int threads : {1, 2, 4}) {
    CAPTURE(threads);
    CHECK(encode(text, 3, {.threads = threads}) == expected);
    CHECK(encode(text, 3, {.threads = threads}, 7919) == expected);
  }
}

TEST_CASE("one long line is read like many short ones") {
  const std::string lines = random_text(700'000, 5, 2);
  std::string line = lines;
  std::replace(line.begin(), line.end(), '\n', ' ');
  CHECK(encode(line, 1, {.threads = 2}) == encode_slowly(line, 1));
  Encoded of_lines = encode(lines, 1, {.threads = 2});
  const auto end = std::find(of_lines.words.begin(), of_lines.words.end(), "</s>");
  const auto line_end = static_cast<std::int32_t>(end - of_lines.words.begin());
  std::erase(of_lines.ids, line_end);
  for (std::int32_t& id : of_lines.ids) id -= id > line_end ? 1 : 0;
  CHECK(of_lines.ids == encode(line, 1, {.threads = 2}).ids);
}

TEST_CASE("ids that do not fit in memory go through a file and come out the same") {
  const std::string text = random_text(600'000, 9, 3);
  std::FILE* spill = std::tmpfile();
  REQUIRE(spill != nullptr);
  for (const std::int64_t limit : {0, 1, 300'000}) {
    const EncoderOptions options{
        .threads = 2, .max_tokens_in_memory = limit, .spill_file = fileno(spill)};
    CHECK(encode(text, 2, options) == encode_slowly(text, 2));
  }
  std::fclose(spill);
}

TEST_CASE("a spill file that cannot be written is an error, not a deadlock") {
  const std::string text = random_text(2'000'000, 9, 4);
  const EncoderOptions options{.threads = 2, .max_tokens_in_memory = 0, .spill_file = -1};
  CHECK_THROWS_AS(encode(text, 1, options), std::system_error);
}

TEST_CASE("what the caller's poll throws stops the reading and joins the workers") {
  const std::string text = random_text(600'000, 9, 5);
  CorpusEncoder encoder({.threads = 1}, [] { throw std::runtime_error("interrupted"); });
  encoder.begin_source("test");
  encoder.feed(text);
  encoder.finish(1, std::nullopt);
  std::vector<std::int32_t> ids(static_cast<std::size_t>(encoder.vocabulary().n_kept_tokens));
  CHECK_THROWS_WITH(encoder.write_ids(ids), "interrupted");
}

std::pair<std::string, std::int64_t> place_of_fault(
    const std::vector<std::pair<std::string, std::string>>& sources, bool refuse_invalid_utf8) {
  for (const int threads : {1, 3}) {
    CorpusEncoder encoder({.threads = threads, .refuse_invalid_utf8 = refuse_invalid_utf8}, [] {});
    try {
      for (const auto& [name, text] : sources) {
        encoder.begin_source(name);
        encoder.feed(text);
      }
      encoder.finish(1, std::nullopt);
    } catch (const brasa::TextError& error) {
      if (threads == 3) return {error.source(), error.line()};
    }
  }
  return {"none", 0};
}

TEST_CASE("faults are told by source and line, the first one of the text if there are several") {
  using Place = std::pair<std::string, std::int64_t>;
  const std::string nul("a\0b\n", 4);
  const std::string lines = random_text(500'000, 6, 6);  // more than a block
  const auto n_lines = std::count(lines.begin(), lines.end(), '\n');
  CHECK(place_of_fault({{"x", nul}}, false) == Place{"x", 1});
  CHECK(place_of_fault({{"x", "a\nb\n" + nul}}, false) == Place{"x", 3});
  CHECK(place_of_fault({{"x", "a\nb"}, {"y", "c\n" + nul}}, false) == Place{"y", 2});
  CHECK(place_of_fault({{"x", "a\nb"}, {"y", ""}, {"z", lines + nul}}, false) ==
        Place{"z", n_lines + 1});
  CHECK(place_of_fault({{"x", lines}, {"y", lines + nul}, {"z", nul}}, false) ==
        Place{"y", n_lines + 1});
  CHECK(place_of_fault({{"x", nul + lines + lines + nul + lines}}, false) == Place{"x", 1});
  CHECK(place_of_fault({{"x", lines + "\xff\n"}}, true) == Place{"x", n_lines + 1});
  CHECK(place_of_fault({{"x", lines + "\xff\n"}}, false) == Place{"none", 0});
  const std::string token(brasa::kMaxTokenBytes, 't');
  CHECK(place_of_fault({{"x", lines + token}}, false) == Place{"none", 0});
  CHECK(place_of_fault({{"x", lines + token + "t"}}, false) == Place{"x", n_lines + 1});
  CHECK(place_of_fault({{"x", lines + token + token + token + token}}, false) ==
        Place{"x", n_lines + 1});
}

TEST_CASE("words that are given come first, in their order, however rare they are") {
  const std::string text = "b b b c c d a\n";
  const std::string arena = std::string("xad") + std::string(20, 'l') + "a";
  const std::vector<std::int64_t> offsets{0, 1, 2, 3, 23, 24};  // x, a, d, a long one, a again
  for (const std::int64_t room : {5, 6, 100}) {
    CorpusEncoder encoder({.threads = 2}, [] {});
    encoder.begin_source("test");
    encoder.feed(text);
    encoder.finish(2, room, {arena, offsets});
    brasa::MergedVocabulary& found = encoder.vocabulary();
    const std::string added = room == 5 ? "" : room == 6 ? "b" : "bc";
    CHECK(std::string(found.arena.begin(), found.arena.end()) == arena + added);
    std::vector<std::int64_t> counts{0, 1, 1, 0, 0};
    if (room > 5) counts.push_back(3);
    if (room > 6) counts.push_back(2);
    CHECK(found.counts == counts);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(found.n_kept_tokens));
    encoder.write_ids(ids);
    const std::vector<std::int32_t> all{5, 5, 5, 6, 6, 2, 1};
    std::vector<std::int32_t> expected;
    std::copy_if(all.begin(), all.end(), std::back_inserter(expected),
                 [&](std::int32_t id) { return id < room && id < 7; });
    CHECK(ids == expected);
  }
}

TEST_CASE("counts of more than 32 bits decide the order, too, and words of several tables add up") {
  constexpr std::int64_t kMany = std::int64_t{1} << 32;
  brasa::WordTable one, other;
  for (const auto& [word, count] :
       {std::pair{"b", kMany + 5}, {"a", kMany - 1}, {"c", kMany / 2}}) {
    one.add(word, count);
  }
  for (const auto& [word, count] : {std::pair{"d", kMany + 7}, {"c", kMany}, {"e", kMany}}) {
    other.add(word, count);
  }
  std::array<brasa::WordTable*, 2> tables{&one, &other};
  const brasa::MergedVocabulary found = merge_vocabulary(tables, 1, std::nullopt, {}, 2);
  CHECK(std::string_view(found.arena.data(), found.arena.size()) == "cdbea");
  CHECK(found.counts == std::vector{kMany + kMany / 2, kMany + 7, kMany + 5, kMany, kMany - 1});
  CHECK(found.n_kept_tokens == 5 * kMany + kMany / 2 + 11);
  CHECK(found.n_tokens == found.n_kept_tokens);
}

TEST_CASE("words are found by their bytes; of equal ones the first") {
  const std::vector<std::string> words{
      "a", "bb", std::string(15, 'c'), std::string(16, 'c'), std::string(500, 'd'), "bb", "\xff"};
  std::string arena;
  std::vector<std::int64_t> offsets{0};
  for (const std::string& word : words) {
    arena += word;
    offsets.push_back(static_cast<std::int64_t>(arena.size()));
  }
  const brasa::WordIndex index({arena, offsets});
  CHECK(index.n_duplicates() == 1);
  for (std::size_t i = 0; i < words.size(); ++i) {
    CHECK(index.find(words[i]) == static_cast<std::int32_t>(i == 5 ? 1 : i));
  }
  for (const char* absent : {"", "b", "cc", "aa"}) CHECK(index.find(absent) == -1);
}

TEST_CASE("many words are found as each of them is") {
  std::string arena;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::string> asked;
  for (int i = 0; i < 3000; ++i) {
    const std::string word = std::string(i % 23, 'x') + std::to_string(i);
    if (i % 3 != 0) {
      arena += word;
      offsets.push_back(static_cast<std::int64_t>(arena.size()));
    }
    asked.push_back(word);
  }
  const brasa::WordIndex index({arena, offsets});
  for (const std::size_t n : {0UL, 1UL, 31UL, 33UL, asked.size()}) {
    const std::vector<std::string_view> words(asked.begin(), asked.begin() + n);
    std::vector<std::int32_t> found(n);
    index.find(words, found);
    for (std::size_t i = 0; i < n; ++i) {
      REQUIRE(found[i] == index.find(words[i]));
      REQUIRE((found[i] >= 0) == (i % 3 != 0));
    }
  }
}

}  // namespace
