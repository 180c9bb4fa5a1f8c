// Vectors of words, known and unseen, from the rows of a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookup/bucket_index.h"
#include "lookup/input_rows.h"
#include "lookup/word_spans.h"

namespace brasa {

// Writes vectors of words one after the other; one for each thread.
class WordComposer {
 public:
  // Refers to the rows, the ids and, if there is one, the index of the ids.
  WordComposer(const InputRows& rows, size_t n_words, const NgramRows& ngrams,
               const BucketIndex* buckets = nullptr)
      : rows_(rows), n_words_(n_words), ngrams_(ngrams), buckets_(buckets) {}

  // See compose_vectors.
  void compose(std::string_view word, int32_t index, std::span<float> out);

 private:
  size_t find_ngrams(std::string_view word);
  void find_ngram(uint32_t bucket);

  InputRows rows_;
  size_t n_words_;
  NgramRows ngrams_;
  const BucketIndex* buckets_;
  std::string wrapped_;
  std::vector<size_t> found_;
};

// Writes the vector of each word to out (words.size() x rows.dim()): the mean of its own row, where
// indices[i] >= 0, and its n-grams' rows, which follow the n_words word rows. An n-gram without a
// row counts as zeros, as it does in fastText's file. A word with neither has the zero vector.
void compose_vectors(const WordSpans& words, std::span<const int32_t> indices,
                     const InputRows& rows, size_t n_words, const NgramRows& ngrams,
                     std::span<float> out);

}  // namespace brasa
