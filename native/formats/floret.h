// floret's tables: words and their n-grams share rows, which several hashes of each choose.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/vector_lookup.h"
#include "text/murmur.h"
#include "text/subwords.h"

namespace brasa {

struct FloretHashing {
  int min_char = 0;
  int max_char = 0;  // 0: only the whole word has rows
  int hash_count = 1;
  std::uint32_t seed = 0;
  std::uint32_t buckets = 1;
  std::string begin = "<";
  std::string end = ">";
};

// Calls visit(text) for the wrapped word, then for each of its n-grams in fastText's order; at most
// kMaxNgramsPerWord of them. `scratch` holds the wrapped word.
template <typename Visit>
void for_each_floret_part(std::string_view word, const FloretHashing& hashing, std::string& scratch,
                          Visit&& visit) {
  scratch.assign(hashing.begin).append(word).append(hashing.end);
  const std::string_view wrapped = scratch;
  visit(wrapped);
  std::size_t left = kMaxNgramsPerWord;
  for (std::size_t begin = 0; begin < wrapped.size(); ++begin) {
    if (continues_character(wrapped[begin])) continue;
    std::size_t end = begin;
    for (int n = 1; n <= hashing.max_char && end < wrapped.size(); ++n) {
      do {
        ++end;
      } while (end < wrapped.size() && continues_character(wrapped[end]));
      if (n < hashing.min_char || (n == 1 && (begin == 0 || end == wrapped.size()))) continue;
      if (left-- == 0) return;
      visit(wrapped.substr(begin, end - begin));
    }
  }
}

// Writes the vector of each word to out: the mean of its parts' rows in the table. Where the model
// has words (n_words > 0; their rows come before the table), the first word has its own row too,
// and the line end "</s>" nothing else: so does floret's program.
void compose_floret(const WordSpans& words, std::span<const int32_t> indices, const RowView& rows,
                    std::size_t n_words, const FloretHashing& hashing, std::span<float> out);

}  // namespace brasa
