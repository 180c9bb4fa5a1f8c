#include "predict/word_sums.h"

#include <algorithm>

#include "memory/large_array.h"
#include "simd/kernels.h"
#include "train/step.h"

namespace brasa {
namespace {

// Of all sums: 500,000 words of 16 numbers, what fits in the cache of a processor.
constexpr size_t kMaxBytes = size_t{32} << 20;

}  // namespace

WordSums::WordSums(size_t n_words, size_t dim)
    : dim_(dim),
      stride_(round_up(dim, kRowAlign)),
      n_places_(std::min(n_words + 1, kMaxBytes / (stride_ * sizeof(float)))),
      entries_(std::make_unique<std::atomic<uint32_t>[]>(n_words)),
      sums_(make_large<float>(n_places_ * stride_)) {
  static_assert(kMaxBytes / (kRowAlign * sizeof(float)) <= size_t{1} << (32 - kFeatureBits));
}

void WordSums::keep(int32_t word, std::span<const float> sum, size_t n_features) {
  uint32_t none = 0;
  if (n_features > kMaxFeatures || next_place_.load(std::memory_order_relaxed) >= n_places_ ||
      !entries_[word].compare_exchange_strong(none, kTaken, std::memory_order_relaxed)) {
    return;
  }
  const size_t place = next_place_.fetch_add(1, std::memory_order_relaxed);
  if (place >= n_places_) return;
  std::copy_n(sum.data(), dim_, sums_.get() + place * stride_);
  entries_[word].store(static_cast<uint32_t>(place << kFeatureBits | n_features),
                       std::memory_order_release);
}

}  // namespace brasa
