// Which hash buckets are used, and a dense number for each of them.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "simd/bucket_cell.h"
#include "simd/kernels.h"

namespace brasa {

// Which buckets are used, and the how-manieth each of them is: 2 million buckets take 333 KB and
// stay in the cache.
class BucketSet {
 public:
  explicit BucketSet(std::uint32_t buckets) : cells_(BucketCell::cell_of(buckets) + 1) {}

  // Thread-safe.
  void add(std::uint32_t bucket) {
    std::atomic_ref<std::uint64_t> bits(word(bucket));
    if ((bits.load(std::memory_order_relaxed) & bit(bucket)) == 0) {
      bits.fetch_or(bit(bucket), std::memory_order_relaxed);
    }
  }

  // Not while others call `add`.
  bool contains(std::uint32_t bucket) const {
    const BucketCell& cell = cells_[BucketCell::cell_of(bucket)];
    return (cell.bits[BucketCell::word_of(bucket)] & bit(bucket)) != 0;
  }

  // Must be called after the last `add`, and before what follows.
  std::vector<std::uint32_t> to_sorted_ids() {
    std::vector<std::uint32_t> ids;
    ids.reserve(count());
    std::uint32_t first = 0;
    for (const BucketCell& cell : cells_) {
      for (std::uint64_t bits : cell.bits) {
        for (; bits != 0; bits &= bits - 1) {
          ids.push_back(first + static_cast<std::uint32_t>(std::countr_zero(bits)));
        }
        first += 64;
      }
    }
    return ids;
  }

  // Writes first + its number for each of these buckets that is used, and gives the end. `out` has
  // room for all of them, and may be where they stand.
  std::int32_t* number(std::span<const std::uint32_t> buckets, std::uint32_t first,
                       std::int32_t* out, const Kernels& kernels = *find_kernels("auto")) const {
    return kernels.number_buckets(cells_.data(), buckets.data(), buckets.size(), first, out);
  }

 private:
  static std::uint64_t bit(std::uint32_t bucket) { return std::uint64_t{1} << (bucket % 64); }
  std::uint64_t& word(std::uint32_t bucket) {
    return cells_[BucketCell::cell_of(bucket)].bits[BucketCell::word_of(bucket)];
  }

  std::uint32_t count() {
    std::uint32_t n = 0;
    for (BucketCell& cell : cells_) {
      cell.n_before = n;
      for (std::size_t i = 0; i < BucketCell::kWords; ++i) {
        cell.n_before_in_cell[i] = static_cast<std::uint8_t>(n - cell.n_before);
        n += count_bits(cell.bits[i]);
      }
    }
    return n;
  }

  std::vector<BucketCell> cells_;
};

}  // namespace brasa
