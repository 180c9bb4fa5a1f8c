#include "formats/floret.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "parallel/parallel_for.h"

namespace brasa {
namespace {

constexpr std::size_t kWordsPerThread = 256;

// Calls visit(i, row) for all rows of the words begin .. end - 1.
template <typename Visit>
void for_each_row(const WordSpans& words, std::size_t begin, std::size_t end,
                  const FloretHashing& hashing, Visit&& visit) {
  std::string scratch;
  for (std::size_t i = begin; i < end; ++i) {
    bool has_rows = false;
    for_each_floret_row(words.word(i), static_cast<std::int64_t>(i), words.size(), hashing, scratch,
                        [&](std::size_t row) {
                          has_rows = true;
                          visit(i, row);
                        });
    if (!has_rows) visit(i, i);
  }
}

}  // namespace

void compose_floret(const WordSpans& words, std::span<const int32_t> indices, const RowView& rows,
                    std::size_t n_words, const FloretHashing& hashing, std::span<float> out) {
  parallel_for(words.size(), kWordsPerThread, [&](std::size_t begin, std::size_t end) {
    std::string scratch;
    std::vector<const float*> found;
    for (std::size_t i = begin; i < end; ++i) {
      found.clear();
      for_each_floret_row(words.word(i), indices[i], n_words, hashing, scratch,
                          [&](std::size_t row) {
                            found.push_back(rows.row(row));
                            prefetch_row(found.back(), rows.dim);
                          });
      write_mean(found, out.subspan(i * rows.dim, rows.dim));
    }
  });
}

FloretRows floret_rows(const WordSpans& words, const FloretHashing& hashing) {
  const std::size_t n_words = words.size();
  if (n_words + hashing.buckets > std::numeric_limits<std::int32_t>::max()) {
    throw std::length_error("more than 2 billion words and rows of the table");
  }
  FloretRows found;
  found.offsets.resize(n_words + 1);
  parallel_for(n_words, kWordsPerThread, [&](std::size_t begin, std::size_t end) {
    for_each_row(words, begin, end, hashing,
                 [&](std::size_t i, std::size_t) { ++found.offsets[i + 1]; });
  });
  for (std::size_t i = 0; i < n_words; ++i) found.offsets[i + 1] += found.offsets[i];
  found.rows = std::make_unique_for_overwrite<std::int32_t[]>(
      static_cast<std::size_t>(found.offsets.back()));
  parallel_for(n_words, kWordsPerThread, [&](std::size_t begin, std::size_t end) {
    std::int32_t* next = found.rows.get() + found.offsets[begin];
    for_each_row(words, begin, end, hashing,
                 [&](std::size_t, std::size_t row) { *next++ = static_cast<std::int32_t>(row); });
  });
  return found;
}

}  // namespace brasa
