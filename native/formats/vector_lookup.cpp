#include "formats/vector_lookup.h"

#include <algorithm>
#include <vector>

#include "formats/ngrams.h"
#include "formats/parallel.h"

namespace brasa {
namespace {

// Below this many words a thread costs more than it brings (20 us to start, 1-2 us a word).
constexpr size_t kWordsPerThread = 512;

void add_row(const float* row, std::span<float> sum) {
  for (size_t d = 0; d < sum.size(); ++d) sum[d] += row[d];
}

}  // namespace

std::span<const uint8_t> WordSpans::word(size_t index) const {
  const int64_t begin = offsets[index], end = offsets[index + 1];
  if (begin < 0 || end < begin || end > static_cast<int64_t>(arena.size())) return {};
  return arena.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

int64_t NgramRows::find(uint32_t bucket) const {
  const size_t n = bucket_ids.size();
  if (n == 0 || bucket >= buckets) return -1;
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

void compose_vectors(const WordSpans& words, std::span<const int32_t> indices, const RowView& rows,
                     size_t n_words, const NgramRows& ngrams, std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0F);
  parallel_for(words.size(), kWordsPerThread, [&](size_t begin, size_t end) {
    std::vector<uint32_t> buckets;
    for (size_t i = begin; i < end; ++i) {
      const std::span<float> sum = out.subspan(i * rows.dim, rows.dim);
      size_t n_rows = 0;
      if (indices[i] >= 0 && static_cast<size_t>(indices[i]) < n_words) {
        add_row(rows.row(static_cast<size_t>(indices[i])), sum);
        ++n_rows;
      }
      if (ngrams.buckets > 0) {
        buckets.clear();
        append_ngram_buckets(words.word(i), ngrams.min_char, ngrams.max_char, ngrams.buckets,
                             buckets);
        n_rows += buckets.size();
        for (const uint32_t bucket : buckets) {
          const int64_t place = ngrams.find(bucket);
          if (place < 0) continue;
          const size_t row = n_words + static_cast<size_t>(place);
          if (row < rows.n_rows) add_row(rows.row(row), sum);
        }
      }
      if (n_rows > 1) {
        const float scale = 1.0F / static_cast<float>(n_rows);
        for (float& value : sum) value *= scale;
      }
    }
  });
}

}  // namespace brasa
