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
  explicit TextFeatures(const FeatureRules& rules) : rules_(rules) {}

  // A line is split at white space and NUL; it ends with the token </s>, which may stand in it too.
  // Labels are passed over: those of the model, and words it does not know that begin as labels do.
  void read_line(std::string_view line);
  // A word alone: what its vector is the mean of.
  void read_word(std::string_view word);

  std::span<const size_t> rows() const { return rows_; }
  // How many features the line or word has: the divisor of the mean.
  size_t count() const { return rows_.size() + n_zeros_; }

 private:
  void clear();
  // False at the end of the line.
  bool add_token(std::string_view token);
  void add_word(std::string_view word, int32_t index);
  void add_runs_of_words();
  void add_bucket(uint32_t bucket);
  bool is_label(std::string_view token) const;

  const FeatureRules& rules_;
  std::vector<size_t> rows_;
  size_t n_zeros_ = 0;
  std::vector<uint32_t> hashes_;  // of the line's words
  std::string wrapped_;
};

}  // namespace brasa
