#include "formats/vector_lookup.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bucket_index.h"
#include "formats/parallel.h"
#include "text/subwords.h"

namespace brasa {
namespace {

// Below this many words a thread costs more than it brings (20 us to start, 1-2 us a word).
constexpr size_t kWordsPerThread = 512;

}  // namespace

// The mean of a word's rows. All are found before the first is read, so that they come at once.
void WordComposer::compose(std::string_view word, int32_t index, std::span<float> out) {
  found_.clear();
  size_t n_rows = 0;
  if (index >= 0 && static_cast<size_t>(index) < n_words_) {
    found_.push_back(rows_.row(static_cast<size_t>(index)));
    ++n_rows;
  }
  if (ngrams_.buckets > 0) n_rows += find_ngrams(word);
  write_mean(found_, n_rows, out);
}

size_t WordComposer::find_ngrams(std::string_view word) {
  size_t n_ngrams = 0;
  for_each_ngram(word, ngrams_.min_char, ngrams_.max_char, wrapped_,
                 [&](std::string_view, uint32_t hash) {
                   ++n_ngrams;
                   find_ngram(hash % ngrams_.buckets);
                 });
  return n_ngrams;
}

void WordComposer::find_ngram(uint32_t bucket) {
  const int64_t place = buckets_ != nullptr ? buckets_->find(bucket) : ngrams_.find(bucket);
  if (place < 0) return;
  const size_t index = n_words_ + static_cast<size_t>(place);
  if (index >= rows_.n_rows) return;
  found_.push_back(rows_.row(index));
  prefetch_row(found_.back(), rows_.dim);
}

// Four rows in one pass over the sums; each sum adds them in their order.
void add_rows(std::span<const float* const> rows, std::span<float> sums) {
  float* const __restrict out = sums.data();
  const size_t dim = sums.size();
  size_t i = 0;
  for (; i + 4 <= rows.size(); i += 4) {
    const float *a = rows[i], *b = rows[i + 1], *c = rows[i + 2], *e = rows[i + 3];
    for (size_t d = 0; d < dim; ++d) out[d] = out[d] + a[d] + b[d] + c[d] + e[d];
  }
  for (; i < rows.size(); ++i) {
    const float* row = rows[i];
    for (size_t d = 0; d < dim; ++d) out[d] += row[d];
  }
}

void write_mean(std::span<const float* const> rows, size_t n_rows, std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0F);
  add_rows(rows, out);
  if (n_rows < 2) return;
  const float scale = 1.0F / static_cast<float>(n_rows);
  for (float& value : out) value *= scale;
}

std::string_view WordSpans::word(size_t index) const {
  const int64_t begin = offsets[index], end = offsets[index + 1];
  if (begin < 0 || end < begin || end > static_cast<int64_t>(arena.size())) return {};
  return {reinterpret_cast<const char*>(arena.data()) + begin, static_cast<size_t>(end - begin)};
}

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

void compose_vectors(const WordSpans& words, std::span<const int32_t> indices, const RowView& rows,
                     size_t n_words, const NgramRows& ngrams, std::span<float> out) {
  parallel_for(words.size(), kWordsPerThread, [&](size_t begin, size_t end) {
    WordComposer composer(rows, n_words, ngrams);
    for (size_t i = begin; i < end; ++i) {
      composer.compose(words.word(i), indices[i], out.subspan(i * rows.dim, rows.dim));
    }
  });
}

}  // namespace brasa
