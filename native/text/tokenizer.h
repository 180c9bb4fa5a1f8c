// Splits text at ASCII white space, as fastText does.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace brasa {

inline bool is_white_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Bit i is set if byte i of 64 is white space: space, \t, \n, \v, \f or \r.
inline std::uint64_t white_space_mask(const char* bytes) {
  std::uint64_t mask = 0;
#if defined(__SSE2__)
  for (int i = 0; i < 4; ++i) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i));
    const __m128i offset = _mm_sub_epi8(v, _mm_set1_epi8('\t'));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(4)), offset);
    const __m128i space = _mm_cmpeq_epi8(v, _mm_set1_epi8(' '));
    const auto bits = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(control, space)));
    mask |= std::uint64_t{bits} << (16 * i);
  }
#else
  // Eight bytes at a time; the flag of a byte is its highest bit. Sums of 7-bit values stay in
  // their byte, so the comparisons are exact.
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  for (int i = 0; i < 8; ++i) {
    std::uint64_t v = 0;
    std::memcpy(&v, bytes + 8 * i, 8);
    const std::uint64_t low = v & ~kHigh;
    const std::uint64_t control = (low + (0x80 - '\t') * kOnes) & ~(low + (0x80 - 0x0e) * kOnes);
    const std::uint64_t space = ~((low ^ (' ' * kOnes)) + 0x7f * kOnes);
    const std::uint64_t flags = (control | space) & ~v & kHigh;
    mask |= ((flags >> 7) * 0x0102040810204080ULL >> 56) << (8 * i);
  }
#endif
  return mask;
}

// Calls sink.word(bytes, length) for every word and sink.line_end() for every "\n", in order.
// kTextPadding bytes behind the end must be readable, and spaces.
template <typename Sink>
void tokenize(const char* text, std::size_t size, Sink&& sink) {
  const char* start = text;
  for (std::size_t base = 0; base <= size; base += 64) {
    for (std::uint64_t mask = white_space_mask(text + base); mask != 0; mask &= mask - 1) {
      const char* end = text + base + std::countr_zero(mask);
      if (end != start) sink.word(start, static_cast<std::size_t>(end - start));
      if (*end == '\n') sink.line_end();
      start = end + 1;
    }
  }
}

}  // namespace brasa
