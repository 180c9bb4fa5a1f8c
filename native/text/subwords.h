// Character n-grams of a word and their hash buckets, as fastText computes them.
//
// The word is wrapped in "<" and ">"; characters are UTF-8 (a byte 10xxxxxx belongs to the one
// before it, so bytes that are not UTF-8 are handled, too); n-grams start at each character in
// turn, shortest first; a 1-gram of the wrapping alone does not count; "</s>" has no n-grams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/line_end.h"

namespace brasa {

// Only this many n-grams of a word are used, in that order. A word of 1 MiB would have 4 million
// (64 million with n up to 64), each with a row of the matrix and an update at each occurrence.
// Words of up to 16,000 characters keep all of theirs with the default n from 3 to 6.
inline constexpr std::size_t kMaxNgramsPerWord = 65'536;

// FNV-1a over bytes that are sign-extended first: an accident of fastText's, kept by all its
// models.
inline std::uint32_t hash_byte(std::uint32_t hash, char byte) {
  const auto extended =
      static_cast<std::uint32_t>(static_cast<std::int32_t>(static_cast<signed char>(byte)));
  return (hash ^ extended) * 16777619U;
}

inline constexpr std::uint32_t kHashStart = 2166136261U;

inline std::uint32_t hash_word(std::string_view word) {
  std::uint32_t hash = kHashStart;
  for (const char byte : word) hash = hash_byte(hash, byte);
  return hash;
}

inline bool continues_character(char byte) { return (byte & 0xc0) == 0x80; }

// fastText's hash, a byte at a time.
struct NgramHash {
  std::uint32_t value = kHashStart;
  void add(char byte) { value = hash_byte(value, byte); }
};

// Calls visit(n-gram as string_view, Hash of it) for each n-gram of a wrapped word, in fastText's
// order. The Hash grows with the n-gram, so that none is read twice.
template <typename Hash, typename Visit>
void for_each_ngram_of_wrapped(std::string_view wrapped, int min_char, int max_char,
                               Visit&& visit) {
  std::size_t left = kMaxNgramsPerWord;
  for (std::size_t begin = 0; begin < wrapped.size(); ++begin) {
    if (continues_character(wrapped[begin])) continue;
    Hash hash;
    std::size_t end = begin;
    for (int n = 1; n <= max_char && end < wrapped.size(); ++n) {
      do {
        hash.add(wrapped[end++]);
      } while (end < wrapped.size() && continues_character(wrapped[end]));
      if (n < min_char || (n == 1 && (begin == 0 || end == wrapped.size()))) continue;
      if (left-- == 0) return;
      visit(wrapped.substr(begin, end - begin), hash);
    }
  }
}

// Calls visit(wrapped n-gram as string_view, hash) for each n-gram of a word. `scratch` holds the
// wrapped word.
template <typename Visit>
void for_each_ngram(std::string_view word, int min_char, int max_char, std::string& scratch,
                    Visit&& visit) {
  if (word == kLineEnd) return;
  scratch.assign(1, '<').append(word).push_back('>');
  for_each_ngram_of_wrapped<NgramHash>(
      scratch, min_char, max_char,
      [&](std::string_view ngram, NgramHash hash) { visit(ngram, hash.value); });
}

// How many n-grams that are.
std::size_t count_ngrams(std::string_view word, int min_char, int max_char);

}  // namespace brasa
