#include "formats/bucket_index.h"

#include <algorithm>
#include <functional>

namespace brasa {
namespace {

constexpr uint32_t kMaxBuckets = 1 << 26;  // 16 MB

// Ascending, each once, all below the number of buckets.
bool can_be_indexed(const NgramRows& ngrams) {
  const std::span ids = ngrams.bucket_ids;
  return !ids.empty() && ids.size() < ngrams.buckets && ngrams.buckets <= kMaxBuckets &&
         ids.back() < ngrams.buckets &&
         std::ranges::adjacent_find(ids, std::greater_equal()) == ids.end();
}

}  // namespace

BucketIndex::BucketIndex(const NgramRows& ngrams) : ngrams_(ngrams) {
  if (!can_be_indexed(ngrams)) return;
  words_.resize(ngrams.buckets / 64 + 1);
  for (const uint32_t id : ngrams.bucket_ids) words_[id / 64].bits |= uint64_t{1} << id % 64;
  int64_t n_before = 0;
  for (Word& word : words_) {
    word.n_before = n_before;
    n_before += __builtin_popcountll(word.bits);
  }
}

}  // namespace brasa
