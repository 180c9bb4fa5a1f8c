#include "lookup/bucket_index.h"

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

int64_t NgramRows::find(uint32_t bucket) const {
  const size_t n = bucket_ids.size();
  if (n == 0 || bucket >= buckets) return -1;
  if (n == buckets) return bucket;  // all are there
  // Hashes are uniform, so a bucket is within about sqrt(n) / 2 places of its share of the range:
  // the search stays inside a kilobyte, where a plain binary search misses the cache 10 times.
  size_t low = static_cast<size_t>(uint64_t{bucket} * n / buckets), high = low;
  for (size_t step = 64; low > 0 && bucket_ids[low] > bucket; step *= 2) {
    high = low;
    low -= std::min(low, step);
  }
  for (size_t step = 64; high < n && bucket_ids[high] < bucket; step *= 2) {
    high += std::min(n - high, step);
  }
  const auto first = bucket_ids.begin() + low, last = bucket_ids.begin() + std::min(n, high + 1);
  const auto found = std::lower_bound(first, last, bucket);
  return found != last && *found == bucket ? found - bucket_ids.begin() : -1;
}

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
