// Word n-grams and their hash buckets, as fastText computes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace brasa {

// fastText keeps the 32-bit hashes of words as signed numbers, so the upper half of a sum is filled
// with the sign.
inline std::uint64_t extended(std::uint32_t hash) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(hash)));
}

// Calls visit(hash of 64 bits) for every run of 2 to n words, those that begin with the first word
// first, shorter ones first. `hashes` are `hash_word` of the words of a line, dropped ones too.
template <typename Visit>
void for_each_word_ngram(std::span<const std::uint32_t> hashes, int n, Visit&& visit) {
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    std::uint64_t hash = extended(hashes[i]);
    const std::size_t end = std::min(hashes.size(), i + static_cast<std::size_t>(n));
    for (std::size_t j = i + 1; j < end; ++j) {
      hash = hash * 116049371U + extended(hashes[j]);
      visit(hash);
    }
  }
}

// How many runs those are.
inline std::size_t count_word_ngrams(std::size_t n_words, int n) {
  std::size_t count = 0;
  for (std::size_t length = 2; length <= static_cast<std::size_t>(n) && length <= n_words;
       ++length) {
    count += n_words - length + 1;
  }
  return count;
}

}  // namespace brasa
