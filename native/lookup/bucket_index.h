// Finds the rows of n-gram buckets, of which a model has few or many.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace brasa {

// Which n-grams words have, and which of their buckets have a row.
struct NgramRows {
  int min_char = 0;
  int max_char = 0;
  uint32_t buckets = 0;  // 0: the model has no subwords
  std::span<const uint32_t> bucket_ids;

  // Place of a bucket in bucket_ids, or -1. Any array is safe; one that is not ascending is
  // searched in vain.
  int64_t find(uint32_t bucket) const;
};

// A bit for each bucket, and how many are set before each 64 of them: 500 KB for 2 million buckets,
// which stay in the cache where the ids themselves do not.
class BucketIndex {
 public:
  // Refers to the ids.
  explicit BucketIndex(const NgramRows& ngrams);

  // What NgramRows::find gives.
  int64_t find(uint32_t bucket) const {
    if (words_.empty()) return ngrams_.find(bucket);
    if (bucket >= ngrams_.buckets) return -1;
    const Word& word = words_[bucket / 64];
    const uint64_t below = (uint64_t{1} << bucket % 64) - 1;
    if ((word.bits >> bucket % 64 & 1) == 0) return -1;
    return word.n_before + __builtin_popcountll(word.bits & below);
  }

 private:
  struct Word {
    uint64_t bits = 0;
    int64_t n_before = 0;
  };

  NgramRows ngrams_;
  std::vector<Word> words_;  // empty: the ids are all buckets, or unsorted, or of too many buckets
};

}  // namespace brasa
