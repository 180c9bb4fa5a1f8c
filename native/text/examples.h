// Labeled lines as numbers: what a text classifier trains on, computed once before the first epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "text/subword_table.h"

namespace brasa {

// What a token of the text is: at least 0, the row of a word; otherwise one of these, or a label.
inline constexpr std::int32_t kDroppedWord = -1;  // still a part of n-grams
inline constexpr std::int32_t kDroppedLabel = -2;
inline constexpr std::int32_t label_meaning(std::int32_t label) { return -3 - label; }
inline constexpr std::int32_t label_of(std::int32_t meaning) { return -3 - meaning; }

// An item stands for features of a line. It is a word's row, and with character n-grams its n-grams
// too; or the row of a word n-gram; or ~k for a word that was dropped and has character n-grams,
// where k numbers such words. The units of words and of dropped words are numbered through:
inline constexpr std::size_t unit_of_item(std::int32_t item, std::size_t n_words) {
  return item >= 0 ? static_cast<std::size_t>(item) : n_words + static_cast<std::size_t>(~item);
}

struct ExampleOptions {
  int word_ngrams = 1;
  int min_char = 0;
  int max_char = 0;  // 0: no character n-grams
  std::uint32_t buckets = 1;
  std::int32_t line_end = -1;  // token that ends a line; -1: the text is one line
  int threads = 1;
  std::span<const std::uint32_t> model_buckets{};  // have a row, whatever is in the text
  bool drops_other_buckets = false;                // n-grams of all others are no features
};

// The lines that have a label and a feature, in text order. `ExampleRows` finds their rows.
struct Examples {
  std::vector<std::int64_t> item_offsets;  // n_lines + 1, into items
  std::unique_ptr<std::int32_t[]> items;   // of words, and then the rows of word n-grams
  SubwordTable units;  // with character n-grams, of all words and then of dropped ones
  std::vector<std::int64_t> label_offsets;  // n_lines + 1, into labels
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> bucket_ids;  // the model's and those of an n-gram, ascending
  std::vector<std::int64_t> lines;        // which of all lines each is
  std::int64_t n_skipped = 0;             // lines without a label, or without a feature
};

// `ids` are the tokens of a text, `words` their bytes, `meaning` what each is. Rows of n-grams
// begin at `n_words`. Throws std::length_error if an int32 cannot number the rows.
Examples build_examples(std::span<const std::int32_t> ids, const WordsView& words,
                        std::span<const std::int32_t> meaning, std::int32_t n_words,
                        const ExampleOptions& options);

}  // namespace brasa
