// Vectors of words, known and unseen, from the rows of a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace brasa {

// A matrix whose rows may be padded.
struct RowView {
  const float* data = nullptr;
  size_t n_rows = 0;
  size_t dim = 0;
  size_t stride = 0;

  const float* row(size_t index) const { return data + index * stride; }
};

// Words as one run of bytes: word i is arena[offsets[i], offsets[i + 1]).
struct WordSpans {
  std::span<const uint8_t> arena;
  std::span<const int64_t> offsets;

  size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  // An empty word where the offsets lie, as those of a broken file may.
  std::string_view word(size_t index) const;
};

// Fetches a row that is to be read soon: one that is not in the cache takes 100 ns to come.
inline void prefetch_row(const float* row, size_t dim) {
  for (size_t d = 0; d < dim; d += 16) __builtin_prefetch(row + d);
}

// Adds the rows to `sums`, one after the other.
void add_rows(std::span<const float* const> rows, std::span<float> sums);

// Writes the mean of `n_rows` rows, of which those that are not in `rows` are zeros.
void write_mean(std::span<const float* const> rows, size_t n_rows, std::span<float> out);

struct NgramRows {
  int min_char = 0;
  int max_char = 0;
  uint32_t buckets = 0;  // 0: the model has no subwords
  std::span<const uint32_t> bucket_ids;

  // Place of a bucket in bucket_ids, or -1. Any array is safe; one that is not ascending is
  // searched in vain.
  int64_t find(uint32_t bucket) const;
};

class BucketIndex;

// Writes vectors of words one after the other; one for each thread.
class WordComposer {
 public:
  // Refers to the rows, the ids and, if there is one, the index of the ids.
  WordComposer(const RowView& rows, size_t n_words, const NgramRows& ngrams,
               const BucketIndex* buckets = nullptr)
      : rows_(rows), n_words_(n_words), ngrams_(ngrams), buckets_(buckets) {}

  // See compose_vectors.
  void compose(std::string_view word, int32_t index, std::span<float> out);

 private:
  size_t find_ngrams(std::string_view word);
  void find_ngram(uint32_t bucket);

  RowView rows_;
  size_t n_words_;
  NgramRows ngrams_;
  const BucketIndex* buckets_;
  std::string wrapped_;
  std::vector<const float*> found_;
};

// Writes the vector of each word to out (words.size() x rows.dim): the mean of its own row, where
// indices[i] >= 0, and its n-grams' rows, which follow the n_words word rows. An n-gram without a
// row counts as zeros, as it does in fastText's file. A word with neither has the zero vector.
void compose_vectors(const WordSpans& words, std::span<const int32_t> indices, const RowView& rows,
                     size_t n_words, const NgramRows& ngrams, std::span<float> out);

}  // namespace brasa
