// Sums of the rows of words that were met: a word that comes again costs one row instead of those
// of its twenty n-grams.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace brasa {

// Threads share it. Its memory is bounded and grows with the words that are kept, those that are
// met first: mostly the frequent ones.
class WordSums {
 public:
  WordSums(size_t n_words, size_t dim);

  struct Sum {
    const float* numbers = nullptr;  // null: not there
    size_t n_features = 0;           // of which it is the sum
  };
  Sum find(int32_t word) const {
    const uint32_t entry = entries_[word].load(std::memory_order_acquire);
    if (entry < kFirstEntry) return {};
    return {sums_.get() + (entry >> kFeatureBits) * stride_, entry & kMaxFeatures};
  }
  // Asks for what `find` reads.
  void prefetch(int32_t word) const { __builtin_prefetch(&entries_[word]); }

  // Keeps a copy, if there is room and no other thread does the same.
  void keep(int32_t word, std::span<const float> sum, size_t n_features);

 private:
  // An entry has the place of the sum above the number of features; places begin at 1, since
  // smaller entries say that there is no sum yet, or that there will be none.
  static constexpr unsigned kFeatureBits = 12;
  static constexpr uint32_t kMaxFeatures = (1U << kFeatureBits) - 1;
  static constexpr uint32_t kFirstEntry = 1U << kFeatureBits;
  static constexpr uint32_t kTaken = 1;

  size_t dim_, stride_, n_places_;
  std::unique_ptr<std::atomic<uint32_t>[]> entries_;  // of each word
  std::unique_ptr<float[]> sums_;
  std::atomic<size_t> next_place_{1};
};

}  // namespace brasa
