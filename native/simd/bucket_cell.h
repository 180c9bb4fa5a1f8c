// Which buckets are used, and how many of them come before each: a set that is looked up quickly.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace brasa {

// 192 buckets; half a cache line, so that a look-up reads one line.
struct alignas(32) BucketCell {
  static constexpr std::uint32_t kWords = 3;

  std::array<std::uint64_t, kWords> bits;
  std::uint32_t n_before;                             // in all cells before
  std::array<std::uint8_t, kWords> n_before_in_cell;  // in the words before

  static constexpr std::size_t cell_of(std::uint32_t bucket) { return bucket / 64 / kWords; }
  static constexpr std::size_t word_of(std::uint32_t bucket) { return bucket / 64 % kWords; }
};
static_assert(sizeof(BucketCell) == 32);

// How many bits are set, without an instruction for it: std::popcount is a function call on the
// baseline that the core is compiled for.
inline std::uint32_t count_bits(std::uint64_t x) {
  x -= (x >> 1) & 0x5555555555555555ULL;
  x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
  return static_cast<std::uint32_t>((x * 0x0101010101010101ULL) >> 56);
}

}  // namespace brasa
