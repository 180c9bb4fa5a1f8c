// Words as fixed-size keys, and their hashes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace brasa {

static_assert(std::endian::native == std::endian::little, "keys hold words as little-endian bytes");

// A word of at most 15 bytes is its own key: its bytes, zero-padded, and its length in the last
// byte. Text has no NUL bytes, so two such words are equal exactly if their keys are. 98 % of the
// tokens of English Wikipedia are short; they are compared without touching the word's bytes again.
inline constexpr std::size_t kMaxShortWord = 15;

// What must be readable behind the end of a text, for the loads below and the tokenizer's windows.
inline constexpr std::size_t kTextPadding = 64;

struct WordKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  bool operator==(const WordKey&) const = default;
};

// Key of a short word; 16 bytes are read at `bytes`, whatever the length.
inline WordKey padded_short_key(const char* bytes, std::size_t length) {
  static constexpr auto kMasks = [] {
    std::array<std::array<std::uint64_t, 2>, kMaxShortWord + 1> masks{};
    for (std::size_t n = 0; n <= kMaxShortWord; ++n) {
      masks[n][0] = n >= 8 ? ~0ULL : (1ULL << (8 * n)) - 1;
      masks[n][1] = n <= 8 ? 0ULL : (1ULL << (8 * (n - 8))) - 1;
    }
    return masks;
  }();
  WordKey key;
  std::memcpy(&key.low, bytes, 8);
  std::memcpy(&key.high, bytes + 8, 8);
  key.low &= kMasks[length][0];
  key.high = (key.high & kMasks[length][1]) | (std::uint64_t{length} << 56);
  return key;
}

// The same, reading not one byte more than the word has: two loads that overlap, where a copy of
// `length` bytes would be a loop.
inline WordKey short_key(std::string_view word) {
  const char* bytes = word.data();
  const std::size_t n = word.size();
  const auto load = [](auto number, const char* from) {
    std::memcpy(&number, from, sizeof(number));
    return std::uint64_t{number};
  };
  WordKey key;
  if (n >= 8) {
    key.low = load(std::uint64_t{}, bytes);
    if (n > 8) key.high = load(std::uint64_t{}, bytes + n - 8) >> (8 * (16 - n));
  } else if (n >= 4) {
    key.low = load(std::uint32_t{}, bytes) | load(std::uint32_t{}, bytes + n - 4) << (8 * (n - 4));
  } else if (n > 0) {
    for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
      key.low |= load(std::uint8_t{}, bytes + at) << (8 * at);
    }
  }
  key.high |= std::uint64_t{n} << 56;
  return key;
}

inline std::uint64_t mix(std::uint64_t h) {
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ULL;
  return h ^ (h >> 32);
}

inline std::uint64_t hash_short(WordKey key) {
  return mix(key.low * 0x9e3779b97f4a7c15ULL ^ std::rotl(key.high * 0xc2b2ae3d27d4eb4fULL, 23));
}

inline std::uint64_t hash_long(std::string_view word) {
  std::uint64_t h = word.size() * 0x9e3779b97f4a7c15ULL;
  std::size_t i = 0;
  std::uint64_t chunk = 0;
  for (; i + 8 <= word.size(); i += 8) {
    std::memcpy(&chunk, word.data() + i, 8);
    h = std::rotl(h ^ chunk, 29) * 0xc2b2ae3d27d4eb4fULL;
  }
  chunk = 0;
  std::memcpy(&chunk, word.data() + i, word.size() - i);
  return mix(std::rotl(h ^ chunk, 29) * 0xc2b2ae3d27d4eb4fULL);
}

}  // namespace brasa
