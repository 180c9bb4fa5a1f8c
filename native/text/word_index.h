// Finds words of a vocabulary by their bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "text/subword_table.h"

namespace brasa {

// Refers to the words, which must outlive it. 8 bytes a slot, at most half of them used.
class WordIndex {
 public:
  explicit WordIndex(const WordsView& words);

  // Index of the word, -1 if it is not there; the first one if the same word is there twice.
  std::int32_t find(std::string_view word) const;
  // The same of many words: what it takes to find one is asked for while others are looked at.
  void find(std::span<const std::string_view> words, std::span<std::int32_t> found) const;
  // Words that are equal to an earlier one, and so cannot be found.
  std::int64_t n_duplicates() const { return n_duplicates_; }

 private:
  std::size_t find_slot(std::string_view word, std::uint64_t hash) const;

  WordsView words_;
  std::size_t mask_;
  std::unique_ptr<std::uint64_t[]> slots_;  // 0, or upper half of the hash above index + 1
  std::int64_t n_duplicates_ = 0;
};

}  // namespace brasa
