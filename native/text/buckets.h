// Which bucket a hash falls in.
#pragma once

#include <algorithm>
#include <cstdint>

namespace brasa {

// The remainder of a division by a number that is known before: a multiplication and a correction
// instead of a division, which takes up to 40 cycles.
class Buckets {
 public:
  explicit Buckets(std::uint32_t n) : n_(n), reciprocal_(~std::uint64_t{0} / n) {}

  // hash % n
  std::uint32_t of(std::uint64_t hash) const {
    // The quotient is exact or 1 too small: reciprocal_ is less than 1 below 2^64 / n, so that the
    // product is less than 2 below the true one before it is rounded down.
    const auto quotient =
        static_cast<std::uint64_t>((static_cast<unsigned __int128>(hash) * reciprocal_) >> 64);
    const std::uint64_t rest = hash - quotient * n_;
    // The smaller of two, not a branch, which would be mispredicted: rest - n_ may wrap.
    return static_cast<std::uint32_t>(std::min(rest, rest - n_));
  }

 private:
  std::uint64_t n_;
  std::uint64_t reciprocal_;
};

}  // namespace brasa
