// Random numbers of training: SplitMix64 (Steele, Lea, Flood 2014), one stream for each block of
// the text. A stream depends on the seed and on the block's number alone, so what a block draws
// does not depend on the thread that trains it. backends/reference.py repeats it.
#pragma once

#include <cstdint>

namespace brasa {

class Random {
 public:
  explicit Random(uint64_t state) : state_(state) {}
  Random(uint64_t seed, uint64_t stream) : state_(mix(seed ^ mix(stream + 1))) {}

  uint64_t next() { return mix(state_ += kStep); }

  // What the (n + 1)th call of `next` from here would give, and the stream without the first n.
  uint64_t at(uint64_t n) const { return mix(state_ + (n + 1) * kStep); }
  Random after(uint64_t n) const { return Random(state_ + n * kStep); }

  // Uniform over 0 .. n - 1; the bias of at most n / 2^32 is far below what training can notice.
  uint32_t below(uint32_t n) { return scale(static_cast<uint32_t>(next() >> 32), n); }

  static uint32_t scale(uint32_t bits, uint32_t n) {
    return static_cast<uint32_t>((static_cast<uint64_t>(bits) * n) >> 32);
  }

 private:
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15u;

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace brasa
