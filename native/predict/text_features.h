// The input rows of a text, as fastText's classifiers find them: those of its words, of their
// character n-grams, and of runs of words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookup/bucket_index.h"
#include "text/word_index.h"
#include "text/word_key.h"

namespace brasa {

// What a model says about rows. Words have the rows [0, n_words), buckets those from n_words on.
struct FeatureRules {
  const WordIndex* words = nullptr;
  const WordIndex* labels = nullptr;
  std::string_view label_prefix;
  size_t n_words = 0;
  NgramRows ngrams;                      // without max_char, words have no n-grams
  std::span<const int32_t> bucket_rows;  // for each place in ngrams.bucket_ids; empty: the place
  int word_ngrams = 1;                   // longest run of words
  const BucketIndex* bucket_index = nullptr;  // of ngrams.bucket_ids
  bool drops_other_buckets = false;           // otherwise a bucket without a row counts as zeros
};

// Finds rows; one for each thread.
class TextFeatures {
 public:
  // Remembers up to `n_recent` words, a power of two: most tokens of many texts are among the few
  // thousand that were met last. Each takes 32 bytes.
  explicit TextFeatures(const FeatureRules& rules, size_t n_recent = 1)
      : rules_(rules), recent_(n_recent) {}

  // A word of the model, and its index.
  struct KnownWord {
    std::string_view word;
    int32_t index;
  };

  // A line is split at white space and NUL; it ends with the token </s>, which may stand in it too.
  // Labels are passed over: those of the model, and words it does not know that begin as labels do.
  // With `known_apart`, words of the model are listed, but neither their rows nor those of their
  // character n-grams.
  void read_line(std::string_view line, bool known_apart = false);
  // A word alone: what its vector is the mean of.
  void read_word(std::string_view word) { read_word({word, rules_.words->find(word)}); }
  void read_word(const KnownWord& word);

  std::span<const size_t> rows() const { return rows_; }
  // How many features the line or word has: the divisor of the mean. Without the known ones.
  size_t count() const { return rows_.size() + n_zeros_; }
  std::span<const KnownWord> known_words() const { return known_words_; }
  size_t longest_line() const { return text_.capacity(); }  // in bytes, of those that were read

 private:
  struct RecentWord {
    WordKey key;  // of none: no word's
    int32_t index = -1;
    uint32_t hash = 0;
  };
  struct Token {
    explicit Token(std::string_view token) : word(token) {}

    std::string_view word;
    WordKey key;
    RecentWord* recent = nullptr;  // where it may be remembered; null: it is too long
    int32_t index = -1;            // among the model's words
    uint32_t hash = 0;             // hash_word
  };

  void clear();
  void split(std::string_view line);
  void add_token(std::string_view token);
  void recall_words();
  void find_new_words();
  RecentWord& recent(const WordKey& key) { return recent_[hash_short(key) & (recent_.size() - 1)]; }
  void add_word(std::string_view word, int32_t index);
  void add_runs_of_words();
  void add_bucket(uint32_t bucket);
  bool is_label(std::string_view token) const;

  const FeatureRules& rules_;
  std::vector<size_t> rows_;
  size_t n_zeros_ = 0;
  std::string text_;  // the line, padded
  std::vector<Token> tokens_;
  std::vector<size_t> new_tokens_;  // which of them were not met lately
  std::vector<std::string_view> new_words_;
  std::vector<int32_t> new_indices_;
  std::vector<KnownWord> known_words_;
  std::vector<RecentWord> recent_;
  std::vector<uint32_t> hashes_;  // of the line's words
  std::string wrapped_;
};

}  // namespace brasa
