// n-grams of finalfusion's models, whose buckets have another hash than fastText's.
#pragma once

#include <cstdint>
#include <vector>

#include "lookup/word_spans.h"

namespace brasa {

// fastText's hash of an n-gram, and the row that finalfusion's model has for it.
struct NgramRow {
  std::uint32_t hash;
  std::int64_t row;

  auto operator<=>(const NgramRow&) const = default;
};

// Each n-gram of the words once, in ascending order: its row is FNV-1a (64 bits) of its length and
// its code points, modulo 2^exponent.
std::vector<NgramRow> finalfusion_ngrams(const WordSpans& words, int min_char, int max_char,
                                         int exponent);

}  // namespace brasa
