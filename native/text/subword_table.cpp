#include "text/subword_table.h"

#include <limits>
#include <stdexcept>
#include <string>

#include "parallel/pieces.h"
#include "text/bucket_set.h"
#include "text/buckets.h"
#include "text/subwords.h"

namespace brasa {

std::size_t count_ngrams(std::string_view word, int min_char, int max_char) {
  if (word == kLineEnd) return 0;
  std::size_t n_chars = 2;  // with "<" and ">"; a word's leading 10xxxxxx belong to the "<"
  for (const char byte : word) n_chars += continues_character(byte) ? 0 : 1;
  std::size_t n_ngrams = 0;
  for (int n = min_char; n <= max_char && static_cast<std::size_t>(n) <= n_chars; ++n) {
    n_ngrams += n_chars - static_cast<std::size_t>(n) + 1 - (n == 1 ? 2 : 0);
    if (n_ngrams >= kMaxNgramsPerWord) return kMaxNgramsPerWord;
  }
  return n_ngrams;
}

SubwordTable build_subword_table(const WordsView& words, int min_char, int max_char,
                                 std::uint32_t buckets, int threads) {
  const std::size_t n_words = words.size();
  SubwordTable table;
  table.offsets.resize(n_words + 1);
  for_each_piece(n_words, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      table.offsets[i + 1] =
          1 + static_cast<std::int64_t>(count_ngrams(words[i], min_char, max_char));
    }
  });
  for (std::size_t i = 0; i < n_words; ++i) table.offsets[i + 1] += table.offsets[i];

  table.rows = std::make_unique_for_overwrite<std::int32_t[]>(
      static_cast<std::size_t>(table.offsets.back()));
  BucketSet used(buckets);
  const Buckets of_hash(buckets);
  for_each_piece(n_words, threads, [&](std::size_t begin, std::size_t end) {
    std::string scratch;
    std::int32_t* row = table.rows.get() + table.offsets[begin];
    for (std::size_t i = begin; i < end; ++i) {
      *row++ = static_cast<std::int32_t>(i);
      for_each_ngram(words[i], min_char, max_char, scratch,
                     [&](std::string_view, std::uint32_t hash) {
                       const std::uint32_t bucket = of_hash.of(hash);
                       used.add(bucket);
                       *row++ = static_cast<std::int32_t>(bucket);
                     });
    }
  });

  table.bucket_ids = used.to_sorted_ids();
  if (n_words + table.bucket_ids.size() > std::numeric_limits<std::int32_t>::max()) {
    throw std::length_error("more than 2 billion words and n-gram buckets");
  }
  for_each_piece(n_words, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      std::int32_t* const first = table.rows.get() + table.offsets[i] + 1;  // after its own row
      const std::int32_t* const last = table.rows.get() + table.offsets[i + 1];
      used.number(
          {reinterpret_cast<const std::uint32_t*>(first), static_cast<std::size_t>(last - first)},
          static_cast<std::uint32_t>(n_words), first);
    }
  });
  return table;
}

}  // namespace brasa
