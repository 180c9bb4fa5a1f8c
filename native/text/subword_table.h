// The rows that make up each word's vector: its own, and those of its n-grams' buckets.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace brasa {

struct WordsView {
  std::span<const char> arena;
  std::span<const std::int64_t> offsets;  // n_words + 1

  std::size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::string_view operator[](std::size_t i) const {
    return {arena.data() + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i])};
  }
};

struct SubwordTable {
  std::size_t n_rows() const {
    return offsets.empty() ? 0 : static_cast<std::size_t>(offsets.back());
  }

  std::vector<std::int64_t> offsets;      // n_words + 1, into rows
  std::unique_ptr<std::int32_t[]> rows;   // word i, then n_words + index into bucket_ids
  std::vector<std::uint32_t> bucket_ids;  // buckets of at least one n-gram, ascending
};

// Throws std::length_error if an int32 cannot number the rows.
SubwordTable build_subword_table(const WordsView& words, int min_char, int max_char,
                                 std::uint32_t buckets, int threads);

}  // namespace brasa
