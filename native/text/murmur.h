// MurmurHash3_x64_128 (Austin Appleby, public domain), the hash of floret's tables.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace brasa {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  bool operator==(const Hash128&) const = default;

  // The hash in four parts of 32 bits, i from 0 to 3.
  std::uint32_t part(int i) const {
    const std::uint64_t half = i < 2 ? low : high;
    return static_cast<std::uint32_t>(i % 2 == 0 ? half : half >> 32);
  }
};

namespace murmur {

inline constexpr std::uint64_t kFactor1 = 0x87c37b91114253d5ULL;
inline constexpr std::uint64_t kFactor2 = 0x4cf5ad432745937fULL;

inline std::uint64_t mix1(std::uint64_t k) { return std::rotl(k * kFactor1, 31) * kFactor2; }
inline std::uint64_t mix2(std::uint64_t k) { return std::rotl(k * kFactor2, 33) * kFactor1; }

inline std::uint64_t finish(std::uint64_t k) {
  k = (k ^ (k >> 33)) * 0xff51afd7ed558ccdULL;
  k = (k ^ (k >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return k ^ (k >> 33);
}

}  // namespace murmur

inline Hash128 murmur_hash(std::string_view text, std::uint32_t seed) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t h1 = seed, h2 = seed;
  const char* at = text.data();
  for (std::size_t i = 0; i < text.size() / 16; ++i, at += 16) {
    std::uint64_t k[2];
    std::memcpy(k, at, 16);
    h1 = std::rotl(h1 ^ murmur::mix1(k[0]), 27) + h2;
    h1 = h1 * 5 + 0x52dce729;
    h2 = std::rotl(h2 ^ murmur::mix2(k[1]), 31) + h1;
    h2 = h2 * 5 + 0x38495ab5;
  }
  std::uint64_t rest[2] = {0, 0};  // bytes that are not there count as zeros
  std::memcpy(rest, at, text.size() % 16);
  h2 ^= murmur::mix2(rest[1]) ^ text.size();
  h1 ^= murmur::mix1(rest[0]) ^ text.size();
  h1 += h2;
  h2 += h1;
  h1 = murmur::finish(h1);
  h2 = murmur::finish(h2);
  h1 += h2;
  return {h1, h2 + h1};
}

}  // namespace brasa
