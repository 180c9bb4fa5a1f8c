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
  struct NoHash {
    void add(char) {}
  };
  scratch.assign(hashing.begin).append(word).append(hashing.end);
  visit(std::string_view(scratch));
  for_each_ngram_of_wrapped<NoHash>(scratch, hashing.min_char, hashing.max_char,
                                    [&](std::string_view ngram, NoHash) { visit(ngram); });
}

// Writes the vector of each word to out: the mean of its parts' rows in the table. Where the model
// has words (n_words > 0; their rows come before the table), the first word has its own row too,
// and the line end "</s>" nothing else: so does floret's program.
void compose_floret(const WordSpans& words, std::span<const int32_t> indices, const RowView& rows,
                    std::size_t n_words, const FloretHashing& hashing, std::span<float> out);

}  // namespace brasa
