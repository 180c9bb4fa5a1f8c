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
#include "text/buckets.h"
#include "text/subwords.h"
#include "text/word_ngrams.h"

namespace brasa {

namespace {

class ExampleBuilder {
 public:
  ExampleBuilder(std::span<const std::int32_t> ids, const WordsView& words,
                 std::span<const std::int32_t> meaning, std::size_t n_words,
                 const ExampleOptions& options)
      : ids_(ids),
        words_(words),
        meaning_(meaning),
        n_words_(n_words),
        options_(options),
        buckets_(options.buckets) {
    if (options.word_ngrams > 1 || options.max_char > 0 || !options.model_buckets.empty()) {
      used_.emplace(options.buckets);
    }
    for (const std::uint32_t bucket : options.model_buckets) used_->add(bucket);
  }

  Examples build() {
    number_tokens();
    if (options_.word_ngrams > 1) hash_words();
    if (options_.max_char > 0) collect_units();
    choose_lines();
    write_lines();
    if (used_) examples_.bucket_ids = used_->to_sorted_ids();
    if (n_words_ + examples_.bucket_ids.size() > std::numeric_limits<std::int32_t>::max()) {
      throw std::length_error("more than 2 billion words and n-gram buckets");
    }
    if (options_.max_char > 0) number_units();
    if (options_.word_ngrams > 1) number_word_ngrams();
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

  bool is_word(std::size_t token) const { return meaning_[token] >= kDroppedWord; }
  bool is_kept(std::size_t token) const { return meaning_[token] >= 0; }

  // Whether a word has a row, its own or that of a character n-gram.
  bool has_row(std::size_t token) const {
    if (is_kept(token) || options_.max_char == 0) return is_kept(token);
    const std::size_t unit = unit_of(token);
    return examples_.units.offsets[unit] < examples_.units.offsets[unit + 1];
  }
  std::size_t unit_of(std::size_t token) const { return unit_of_item(items_[token], n_words_); }

  void number_tokens() {
    items_.assign(meaning_.begin(), meaning_.end());
    for (std::int32_t& item : items_) {
      if (item == kDroppedWord) item = ~static_cast<std::int32_t>(n_dropped_++);
    }
  }

  // Calls visit(token, scratch) for the tokens that are no labels, in several threads.
  template <typename Visit>
  void for_each_word(Visit&& visit) const {
    for_each_piece(words_.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
      std::string scratch;
      for (std::size_t i = begin; i < end; ++i) {
        if (is_word(i)) visit(i, scratch);
      }
    });
  }

  void hash_words() {
    hashes_.resize(words_.size());
    for_each_word([&](std::size_t i, std::string&) { hashes_[i] = hash_word(words_[i]); });
  }

  bool is_feature(std::uint32_t bucket) const {
    return !options_.drops_other_buckets || used_->contains(bucket);
  }

  void use(std::uint32_t bucket) {
    if (!options_.drops_other_buckets) used_->add(bucket);
  }

  // Calls visit(bucket) for the character n-grams of a word that are features.
  template <typename Visit>
  void for_each_char_bucket(std::size_t token, std::string& scratch, Visit&& visit) const {
    for_each_ngram(words_[token], options_.min_char, options_.max_char, scratch,
                   [&](std::string_view, std::uint32_t hash) {
                     const std::uint32_t bucket = buckets_.of(hash);
                     if (is_feature(bucket)) visit(bucket);
                   });
  }

  std::size_t count_char_buckets(std::size_t token, std::string& scratch) const {
    if (!options_.drops_other_buckets) {
      return count_ngrams(words_[token], options_.min_char, options_.max_char);
    }
    std::size_t n = 0;
    for_each_char_bucket(token, scratch, [&](std::uint32_t) { ++n; });
    return n;
  }

  // Rows of all words: each its own if it was kept, and its n-grams' buckets.
  void collect_units() {
    SubwordTable& units = examples_.units;
    units.offsets.resize(n_words_ + n_dropped_ + 1);
    for_each_word([&](std::size_t i, std::string& scratch) {
      units.offsets[unit_of(i) + 1] =
          static_cast<std::int64_t>(count_char_buckets(i, scratch) + (is_kept(i) ? 1 : 0));
    });
    std::partial_sum(units.offsets.begin(), units.offsets.end(), units.offsets.begin());
    units.rows = make_large<std::int32_t>(static_cast<std::size_t>(units.offsets.back()));
    for_each_word([&](std::size_t i, std::string& scratch) {
      std::int32_t* row = units.rows.get() + units.offsets[unit_of(i)];
      if (is_kept(i)) *row++ = meaning_[i];
      for_each_char_bucket(i, scratch, [&](std::uint32_t bucket) {
        use(bucket);
        *row++ = static_cast<std::int32_t>(bucket);
      });
    });
  }

  // Puts rows in the place of the units' buckets.
  void number_units() {
    const SubwordTable& units = examples_.units;
    for_each_word([&](std::size_t i, std::string&) {
      const std::size_t unit = unit_of(i);
      number(units.rows.get() + units.offsets[unit] + (is_kept(i) ? 1 : 0),
             units.rows.get() + units.offsets[unit + 1]);
    });
  }

  // Calls visit(bucket) for the word n-grams of a line that are features.
  template <typename Visit>
  void for_each_word_bucket(std::span<const std::int32_t> tokens,
                            std::vector<std::uint32_t>& scratch, Visit&& visit) const {
    if (options_.word_ngrams == 1) return;
    scratch.clear();
    for (const std::int32_t token : tokens) {
      const auto at = static_cast<std::size_t>(token);
      if (is_word(at)) scratch.push_back(hashes_[at]);
    }
    for_each_word_ngram(scratch, options_.word_ngrams, [&](std::uint64_t hash) {
      const std::uint32_t bucket = buckets_.of(hash);
      if (is_feature(bucket)) visit(bucket);
    });
  }

  Sizes sizes_of(std::span<const std::int32_t> tokens, std::vector<std::uint32_t>& scratch) const {
    Sizes sizes;
    std::size_t n_in_ngrams = 0;
    for (const std::int32_t token : tokens) {
      const auto at = static_cast<std::size_t>(token);
      sizes.n_labels += meaning_[at] < kDroppedLabel ? 1 : 0;
      sizes.n_words += is_word(at) && has_row(at) ? 1 : 0;
      n_in_ngrams += is_word(at) ? 1 : 0;
    }
    if (options_.drops_other_buckets) {
      for_each_word_bucket(tokens, scratch, [&](std::uint32_t) { ++sizes.n_ngrams; });
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
      n_words_of_line_.push_back(sizes[i].n_words);
      examples_.item_offsets.push_back(
          examples_.item_offsets.back() +
          static_cast<std::int64_t>(sizes[i].n_words + sizes[i].n_ngrams));
      examples_.label_offsets.push_back(examples_.label_offsets.back() +
                                        static_cast<std::int64_t>(sizes[i].n_labels));
    }
    examples_.n_skipped = static_cast<std::int64_t>(sizes.size() - examples_.lines.size());
  }

  // Writes the words of each line, and then the buckets of its word n-grams.
  void write_lines() {
    examples_.items =
        make_large<std::int32_t>(static_cast<std::size_t>(examples_.item_offsets.back()));
    examples_.labels.resize(static_cast<std::size_t>(examples_.label_offsets.back()));
    for_each_piece(examples_.lines.size(), options_.threads,
                   [&](std::size_t begin, std::size_t end) {
                     std::vector<std::uint32_t> scratch;
                     for (std::size_t i = begin; i < end; ++i) {
                       std::int32_t* item = examples_.items.get() + examples_.item_offsets[i];
                       std::int32_t* label = examples_.labels.data() + examples_.label_offsets[i];
                       const auto tokens = line(static_cast<std::size_t>(examples_.lines[i]));
                       for (const std::int32_t token : tokens) {
                         const auto at = static_cast<std::size_t>(token);
                         if (meaning_[at] < kDroppedLabel) {
                           *label++ = label_of(meaning_[at]);
                         } else if (is_word(at) && has_row(at)) {
                           *item++ = items_[at];
                         }
                       }
                       for_each_word_bucket(tokens, scratch, [&](std::uint32_t bucket) {
                         use(bucket);
                         *item++ = static_cast<std::int32_t>(bucket);
                       });
                     }
                   });
  }

  // Puts rows in the place of the buckets that `write_lines` wrote.
  void number_word_ngrams() {
    std::int32_t* const items = examples_.items.get();
    for_each_piece(
        examples_.lines.size(), options_.threads, [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i) {
            const std::int64_t first = examples_.item_offsets[i];
            number(items + first + n_words_of_line_[i], items + examples_.item_offsets[i + 1]);
          }
        });
  }

  // Puts rows in the place of buckets.
  void number(std::int32_t* first, const std::int32_t* end) const {
    used_->number(
        {reinterpret_cast<const std::uint32_t*>(first), static_cast<std::size_t>(end - first)},
        static_cast<std::uint32_t>(n_words_), first);
  }

  std::span<const std::int32_t> ids_;
  const WordsView& words_;
  std::span<const std::int32_t> meaning_;
  std::size_t n_words_;
  const ExampleOptions& options_;
  Buckets buckets_;
  std::optional<BucketSet> used_;
  std::size_t n_dropped_ = 0;
  std::vector<std::int32_t> items_;           // of tokens; of labels anything
  std::vector<std::uint32_t> hashes_;         // of tokens, for word n-grams
  std::vector<std::int64_t> starts_;          // of all lines, and the end
  std::vector<std::size_t> n_words_of_line_;  // of those that are trained on: items before n-grams
  Examples examples_;
};

}  // namespace

Examples build_examples(std::span<const std::int32_t> ids, const WordsView& words,
                        std::span<const std::int32_t> meaning, std::int32_t n_words,
                        const ExampleOptions& options) {
  return ExampleBuilder(ids, words, meaning, static_cast<std::size_t>(n_words), options).build();
}

}  // namespace brasa
