// Numbers and bytes drawn from what a fuzzer made up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookup/bucket_index.h"
#include "lookup/rows.h"
#include "lookup/word_spans.h"
#include "text/subword_table.h"

namespace brasa::fuzz {

class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  // Zero where the bytes have ended.
  template <typename Number>
  Number number() {
    Number value{};
    const size_t n = std::min(sizeof value, bytes_.size());
    if (n > 0) std::memcpy(&value, bytes_.data(), n);
    bytes_ = bytes_.subspan(n);
    return value;
  }
  size_t number_below(size_t end) { return number<uint16_t>() % end; }

  template <typename Number>
  std::vector<Number> numbers(size_t n) {
    std::vector<Number> values(n);
    for (Number& value : values) value = number<Number>();
    return values;
  }

  // At most `n` bytes: a copy of exactly their size, so that reading past them is noticed.
  std::vector<char> bytes(size_t n) {
    n = std::min(n, bytes_.size());
    const std::vector<char> copy(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(n));
    bytes_ = bytes_.subspan(n);
    return copy;
  }
  std::vector<char> rest() { return bytes(bytes_.size()); }

 private:
  std::span<const uint8_t> bytes_;
};

inline std::string_view as_text(const std::vector<char>& bytes) {
  return {bytes.data(), bytes.size()};
}

// Words with offsets that may lie.
struct LyingWords {
  std::vector<char> arena;
  std::vector<int64_t> offsets;

  explicit LyingWords(Input& input)
      : arena(input.bytes(input.number<uint8_t>())),
        offsets(input.numbers<int64_t>(input.number<uint8_t>() % 12)) {
    for (int64_t& offset : offsets) {
      if (offset % 2 == 0) offset = offset / 2 % 300;  // half of them lie inside or close by
    }
  }
  WordSpans spans() const {
    return {{reinterpret_cast<const uint8_t*>(arena.data()), arena.size()}, offsets};
  }
};

// Words whose offsets were checked, as those are that the Python module passes on.
struct CheckedWords {
  std::vector<char> arena;
  std::vector<int64_t> offsets{0};

  CheckedWords(Input& input, size_t max_words) {
    for (size_t left = input.number_below(max_words + 1); left > 0; --left) {
      const std::vector<char> word = input.bytes(input.number<uint8_t>() % 24);
      arena.insert(arena.end(), word.begin(), word.end());
      offsets.push_back(static_cast<int64_t>(arena.size()));
    }
  }
  size_t size() const { return offsets.size() - 1; }
  WordsView view() const { return {arena, offsets}; }
};

// Ends the run, in builds without assertions too.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace brasa::fuzz
