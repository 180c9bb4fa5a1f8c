// Which hash buckets are used, and a dense number for each of them.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace brasa {

// Which buckets are used, and the how-manieth each of them is: 1 bit a bucket and 4 bytes for 64,
// so that 2 million buckets take 375 KB and stay in the cache.
class BucketSet {
 public:
  explicit BucketSet(std::uint32_t buckets) : bits_(buckets / 64 + 1) {}

  // Thread-safe.
  void add(std::uint32_t bucket) {
    std::atomic_ref<std::uint64_t> word(bits_[bucket / 64]);
    const std::uint64_t bit = 1ULL << (bucket % 64);
    if ((word.load(std::memory_order_relaxed) & bit) == 0) {
      word.fetch_or(bit, std::memory_order_relaxed);
    }
  }

  // Not while others call `add`.
  bool contains(std::uint32_t bucket) const {
    return (bits_[bucket / 64] >> (bucket % 64) & 1) != 0;
  }

  // Must be called after the last `add`.
  std::vector<std::uint32_t> to_sorted_ids() {
    std::vector<std::uint32_t> ids;
    ranks_.resize(bits_.size());
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      ranks_[i] = static_cast<std::uint32_t>(ids.size());
      for (std::uint64_t word = bits_[i]; word != 0; word &= word - 1) {
        ids.push_back(static_cast<std::uint32_t>(i * 64) +
                      static_cast<std::uint32_t>(std::countr_zero(word)));
      }
    }
    return ids;
  }

  std::uint32_t index(std::uint32_t bucket) const {
    const std::uint64_t below = bits_[bucket / 64] & ((1ULL << (bucket % 64)) - 1);
    return ranks_[bucket / 64] + count_bits(below);
  }

 private:
  // std::popcount is a function call on the baseline that the core is compiled for.
  static std::uint32_t count_bits(std::uint64_t x) {
    x -= (x >> 1) & 0x5555555555555555ULL;
    x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    return static_cast<std::uint32_t>((x * 0x0101010101010101ULL) >> 56);
  }

  std::vector<std::uint64_t> bits_;
  std::vector<std::uint32_t> ranks_;
};

}  // namespace brasa
