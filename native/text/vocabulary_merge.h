// Joins the words that several threads counted into one vocabulary.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "text/subword_table.h"
#include "text/word_table.h"

namespace brasa {

struct MergedVocabulary {
  // Kept words: those that were given first, then the others by descending count, ties by bytes:
  // the same whatever thread counted what.
  std::vector<char> arena;
  std::vector<std::int64_t> offsets;  // n_words + 1
  std::vector<std::int64_t> counts;
  std::int64_t n_tokens = 0;                 // of all words, dropped ones too
  std::int64_t n_kept_tokens = 0;            // of kept words
  std::int64_t n_distinct = 0;               // words before any was dropped, line end aside
  std::array<std::int64_t, 2> top_counts{};  // of the two most frequent, line end aside
  // For each table, the index of each of its words in the vocabulary, -1 for a dropped word.
  std::vector<std::vector<std::int32_t>> final_ids;
};

// Joins all tables in the first one. Keeps words that occur at least `min_count` times, and of
// these the `max_vocab` first. `first` are words that are kept in any case, in their order, before
// all others; they count for `max_vocab`. Throws std::length_error if more words are left than an
// int32 can number.
MergedVocabulary merge_vocabulary(std::span<WordTable* const> tables, std::int64_t min_count,
                                  std::optional<std::int64_t> max_vocab, const WordsView& first,
                                  int threads);

}  // namespace brasa
