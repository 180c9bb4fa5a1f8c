// A table in floret's format that gives the vectors of a model with fastText's n-grams.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "formats/floret.h"

namespace brasa {

// Wrapped words and their n-grams, each once, and what each of them is worth.
class FloretItems {
 public:
  // `vectors` has the vector of each word, `rows` and `ngrams` the rows of the model's n-grams. Of
  // the hashing min_char, max_char, seed, begin and end are used.
  FloretItems(const WordSpans& words, const RowView& vectors, const RowView& rows,
              const NgramRows& ngrams, const FloretHashing& hashing);

  std::size_t size() const { return hashes_.size(); }

  // Rows of a table in which the mean of each item's rows is what it is worth, so that the mean
  // of a word's parts is its vector, exactly up to rounding. Nothing when these hashes of the
  // items do not allow it: then another seed or more buckets do.
  //
  // Each item is an equation in hash_count unknown rows. An item that alone uses one of its rows
  // can be set aside, its row decided last; setting items aside goes on until none is left, which
  // succeeds nearly always with 3 hashes and 1.23 times as many rows as items, as for the tables
  // of Bloomier filters (Chazelle et al. 2004).
  std::optional<std::vector<float>> solve(const FloretHashing& hashing) const;

 private:
  void worth(std::size_t item, std::span<double> out) const;

  RowView rows_;
  std::size_t n_words_;
  std::vector<Hash128> hashes_;           // words first
  std::vector<std::int64_t> ngram_rows_;  // of items after the words: row, or -1 for zeros
  std::vector<double> word_worth_;
};

}  // namespace brasa
