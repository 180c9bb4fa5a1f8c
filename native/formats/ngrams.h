#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace brasa {

// Appends the bucket of each character n-gram of `<word>`, in fastText's order: by UTF-8
// characters, without the 1-grams that are an end mark; none for the end-of-sentence token. The
// hash is FNV-1a over bytes that are sign-extended first, as fastText's are.
inline void append_ngram_buckets(std::span<const uint8_t> word, int min_char, int max_char,
                                 uint32_t buckets, std::vector<uint32_t>& out) {
  constexpr std::string_view kEndOfSentence = "</s>";
  if (std::ranges::equal(word, kEndOfSentence)) return;
  const size_t size = word.size() + 2;
  const auto byte = [&](size_t i) -> uint8_t {
    return i == 0 ? '<' : i == size - 1 ? '>' : word[i - 1];
  };
  const auto continues = [&](size_t i) { return i < size && (byte(i) & 0xC0) == 0x80; };
  for (size_t first = 0; first < size; ++first) {
    if (continues(first)) continue;
    uint32_t hash = 2166136261U;
    size_t next = first;
    for (int length = 1; length <= max_char && next < size; ++length) {
      do {
        hash = (hash ^ static_cast<uint32_t>(static_cast<int8_t>(byte(next)))) * 16777619U;
        ++next;
      } while (continues(next));
      if (length < min_char) continue;
      if (length == 1 && (first == 0 || next == size)) continue;
      out.push_back(hash % buckets);
    }
  }
}

}  // namespace brasa
