#include "text/examples.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>

#include "memory/large_array.h"
#include "parallel/pieces.h"
#include "text/bucket_set.h"
#include "text/subwords.h"
#include "text/word_ngrams.h"

namespace brasa {

namespace {

class ExampleBuilder {
 public:
  ExampleBuilder(std::span<const std::int32_t> ids, const WordsView& words,
                 std::span<const std::int32_t> meaning, std::int32_t n_words,
                 const ExampleOptions& options)
      : ids_(ids),
        words_(words),
        meaning_(meaning),
        n_words_(n_words),
        options_(options),
        hashes_(options.word_ngrams > 1 ? words.size() : 0) {
    if (options.word_ngrams > 1 || options.max_char > 0 || !options.model_buckets.empty()) {
      used_.emplace(options.buckets);
    }
    for (const std::uint32_t bucket : options.model_buckets) used_->add(bucket);
  }

  Examples build() {
    for_each_piece(hashes_.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) hashes_[i] = hash_word(words_[i]);
    });
    if (options_.max_char > 0) collect_units();
    choose_lines();
    write_lines();
    if (used_) examples_.bucket_ids = used_->to_sorted_ids();
    if (static_cast<std::size_t>(n_words_) + examples_.bucket_ids.size() >
        std::numeric_limits<std::int32_t>::max()) {
      throw std::length_error("more than 2 billion words and n-gram buckets");
    }
    number_units();
    number_ngrams();
    return std::move(examples_);
  }

 private:
  struct Sizes {
    std::size_t n_words = 0;
    std::size_t n_ngrams = 0;
    std::size_t n_labels = 0;

    bool can_be_trained_on() const { return n_labels > 0 && n_words + n_ngrams > 0; }
  };

  std::span<const std::int32_t> line(std::size_t i) const {
    const auto begin = static_cast<std::size_t>(starts_[i]);
    return ids_.subspan(begin, static_cast<std::size_t>(starts_[i + 1]) - begin);
  }

  std::int32_t meaning(std::int32_t token) const {
    return meaning_[static_cast<std::size_t>(token)];
  }

  bool is_item(std::int32_t token) const {
    if (options_.max_char == 0) return meaning(token) >= 0;
    const auto at = static_cast<std::size_t>(token);
    return examples_.units.offsets[at] < examples_.units.offsets[at + 1];
  }

  bool is_feature(std::uint32_t bucket) const {
    return !options_.drops_other_buckets || used_->contains(bucket);
  }

  std::size_t count_unit(std::string_view word, std::string& scratch) const {
    if (!options_.drops_other_buckets) {
      return count_ngrams(word, options_.min_char, options_.max_char);
    }
    std::size_t n = 0;
    for_each_ngram(word, options_.min_char, options_.max_char, scratch,
                   [&](std::string_view, std::uint32_t hash) {
                     n += is_feature(hash % options_.buckets) ? 1 : 0;
                   });
    return n;
  }

  // Rows of every token that is no label: its own if it was kept, and its n-grams' buckets.
  void collect_units() {
    SubwordTable& units = examples_.units;
    units.offsets.resize(words_.size() + 1);
    const auto has_rows = [&](std::size_t i) { return meaning_[i] >= kDroppedWord; };
    for_each_piece(words_.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
      std::string scratch;
      for (std::size_t i = begin; i < end; ++i) {
        if (!has_rows(i)) continue;
        const auto n = count_unit(words_[i], scratch);
        units.offsets[i + 1] = static_cast<std::int64_t>(n) + (meaning_[i] >= 0 ? 1 : 0);
      }
    });
    std::partial_sum(units.offsets.begin(), units.offsets.end(), units.offsets.begin());
    units.rows = make_large<std::int32_t>(static_cast<std::size_t>(units.offsets.back()));
    for_each_piece(words_.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
      std::string scratch;
      for (std::size_t i = begin; i < end; ++i) {
        if (!has_rows(i)) continue;
        std::int32_t* row = units.rows.get() + units.offsets[i];
        if (meaning_[i] >= 0) *row++ = meaning_[i];
        for_each_ngram(words_[i], options_.min_char, options_.max_char, scratch,
                       [&](std::string_view, std::uint32_t hash) {
                         const std::uint32_t bucket = hash % options_.buckets;
                         if (!is_feature(bucket)) return;
                         if (!options_.drops_other_buckets) used_->add(bucket);
                         *row++ = static_cast<std::int32_t>(bucket);
                       });
      }
    });
  }

  void number_units() {
    const SubwordTable& units = examples_.units;
    if (options_.max_char == 0) return;
    for_each_piece(words_.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const std::int64_t first = units.offsets[i] + (meaning_[i] >= 0 ? 1 : 0);
        for (std::int64_t r = first; r < units.offsets[i + 1]; ++r) {
          units.rows[r] = row_of(static_cast<std::uint32_t>(units.rows[r]));
        }
      }
    });
  }

  std::int32_t row_of(std::uint32_t bucket) const {
    return n_words_ + static_cast<std::int32_t>(used_->index(bucket));
  }

  // Calls visit(bucket) for the word n-grams of a line that are features.
  template <typename Visit>
  void for_each_bucket(std::span<const std::int32_t> tokens, std::vector<std::uint32_t>& scratch,
                       Visit&& visit) const {
    if (options_.word_ngrams == 1) return;
    scratch.clear();
    for (const std::int32_t token : tokens) {
      if (meaning(token) >= kDroppedWord) {
        scratch.push_back(hashes_[static_cast<std::size_t>(token)]);
      }
    }
    for_each_word_ngram(scratch, options_.word_ngrams, [&](std::uint64_t hash) {
      const auto bucket = static_cast<std::uint32_t>(hash % options_.buckets);
      if (is_feature(bucket)) visit(bucket);
    });
  }

  Sizes sizes_of(std::span<const std::int32_t> tokens, std::vector<std::uint32_t>& scratch) const {
    Sizes sizes;
    std::size_t n_in_ngrams = 0;
    for (const std::int32_t token : tokens) {
      const std::int32_t kind = meaning(token);
      sizes.n_labels += kind < kDroppedLabel ? 1 : 0;
      sizes.n_words += kind >= kDroppedWord && is_item(token) ? 1 : 0;
      n_in_ngrams += kind >= kDroppedWord ? 1 : 0;
    }
    if (options_.drops_other_buckets) {
      for_each_bucket(tokens, scratch, [&](std::uint32_t) { ++sizes.n_ngrams; });
    } else {
      sizes.n_ngrams = count_word_ngrams(n_in_ngrams, options_.word_ngrams);
    }
    return sizes;
  }

  // Finds the lines that can be trained on, and how long they are.
  void choose_lines() {
    starts_.push_back(0);
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      if (ids_[i] == options_.line_end) starts_.push_back(static_cast<std::int64_t>(i + 1));
    }
    if (starts_.back() != static_cast<std::int64_t>(ids_.size())) {
      starts_.push_back(static_cast<std::int64_t>(ids_.size()));
    }
    std::vector<Sizes> sizes(starts_.size() - 1);
    for_each_piece(sizes.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
      std::vector<std::uint32_t> scratch;
      for (std::size_t i = begin; i < end; ++i) sizes[i] = sizes_of(line(i), scratch);
    });
    examples_.item_offsets.push_back(0);
    examples_.label_offsets.push_back(0);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (!sizes[i].can_be_trained_on()) continue;
      examples_.lines.push_back(static_cast<std::int64_t>(i));
      n_words_of_line_.push_back(static_cast<std::int64_t>(sizes[i].n_words));
      examples_.item_offsets.push_back(
          examples_.item_offsets.back() +
          static_cast<std::int64_t>(sizes[i].n_words + sizes[i].n_ngrams));
      examples_.label_offsets.push_back(examples_.label_offsets.back() +
                                        static_cast<std::int64_t>(sizes[i].n_labels));
    }
    examples_.n_skipped = static_cast<std::int64_t>(sizes.size() - examples_.lines.size());
  }

  // Writes the words of each line, and then the buckets of its n-grams.
  void write_lines() {
    examples_.items =
        make_large<std::int32_t>(static_cast<std::size_t>(examples_.item_offsets.back()));
    examples_.labels.resize(static_cast<std::size_t>(examples_.label_offsets.back()));
    for_each_piece(
        examples_.lines.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
          std::vector<std::uint32_t> scratch;
          for (std::size_t i = begin; i < end; ++i) {
            std::int32_t* item = examples_.items.get() + examples_.item_offsets[i];
            std::int32_t* label = examples_.labels.data() + examples_.label_offsets[i];
            const bool expanded = options_.max_char > 0;
            for (const std::int32_t token : line(static_cast<std::size_t>(examples_.lines[i]))) {
              const std::int32_t kind = meaning(token);
              if (kind < kDroppedLabel) {
                *label++ = label_of(kind);
              } else if (kind >= kDroppedWord && is_item(token)) {
                *item++ = expanded ? token : kind;
              }
            }
            for_each_bucket(line(static_cast<std::size_t>(examples_.lines[i])), scratch,
                            [&](std::uint32_t bucket) {
                              if (!options_.drops_other_buckets) used_->add(bucket);
                              *item++ = static_cast<std::int32_t>(bucket);
                            });
          }
        });
  }

  // Puts rows in the place of the buckets that `write_lines` wrote.
  void number_ngrams() {
    if (options_.word_ngrams == 1) return;
    for_each_piece(
        examples_.lines.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            const std::int64_t first = examples_.item_offsets[i] + n_words_of_line_[i];
            for (std::int64_t k = first; k < examples_.item_offsets[i + 1]; ++k) {
              const std::int32_t row = row_of(static_cast<std::uint32_t>(examples_.items[k]));
              examples_.items[k] = options_.max_char > 0 ? ~row : row;
            }
          }
        });
  }

  std::span<const std::int32_t> ids_;
  const WordsView& words_;
  std::span<const std::int32_t> meaning_;
  std::int32_t n_words_;
  const ExampleOptions& options_;
  std::vector<std::uint32_t> hashes_;
  std::optional<BucketSet> used_;
  std::vector<std::int64_t> starts_;           // of all lines, and the end
  std::vector<std::int64_t> n_words_of_line_;  // of those that are trained on: items before n-grams
  Examples examples_;
};

}  // namespace

Examples build_examples(std::span<const std::int32_t> ids, const WordsView& words,
                        std::span<const std::int32_t> meaning, std::int32_t n_words,
                        const ExampleOptions& options) {
  return ExampleBuilder(ids, words, meaning, n_words, options).build();
}

}  // namespace brasa
