// floret's tables: words and their n-grams share rows, which several hashes of each choose.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookup/bucket_index.h"
#include "lookup/rows.h"
#include "lookup/word_spans.h"
#include "text/line_end.h"
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

// Calls visit(row) for each row of which a word's vector is the mean: those of its parts in the
// table, which has the rows from `n_words` on. Where the model has words (n_words > 0), the first
// word has its own row too, and the line end "</s>" nothing else: so does floret's program.
template <typename Visit>
void for_each_floret_row(std::string_view word, std::int64_t index, std::size_t n_words,
                         const FloretHashing& hashing, std::string& scratch, Visit&& visit) {
  if (n_words > 0 && index == 0) visit(std::size_t{0});
  if (n_words > 0 && word == kLineEnd) return;
  for_each_floret_part(word, hashing, scratch, [&](std::string_view part) {
    const Hash128 hash = murmur_hash(part, hashing.seed);
    for (int i = 0; i < hashing.hash_count; ++i) visit(n_words + hash.part(i) % hashing.buckets);
  });
}

// Writes the vector of each word to out.
void compose_floret(const WordSpans& words, std::span<const int32_t> indices, const RowView& rows,
                    std::size_t n_words, const FloretHashing& hashing, std::span<float> out);

struct FloretRows {
  std::vector<std::int64_t> offsets;     // n_words + 1, into rows
  std::unique_ptr<std::int32_t[]> rows;  // see for_each_floret_row
};

// The rows of a vocabulary's words. A word without any, the line end, has its own row: as a context
// of cbow it needs one. Throws std::length_error if an int32 cannot number the rows.
FloretRows floret_rows(const WordSpans& words, const FloretHashing& hashing);

}  // namespace brasa
