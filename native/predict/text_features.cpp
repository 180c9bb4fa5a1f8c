#include "predict/text_features.h"

#include "predict/line_tokens.h"
#include "text/line_end.h"
#include "text/subwords.h"
#include "text/word_ngrams.h"

namespace brasa {

void TextFeatures::read_line(std::string_view line) {
  clear();
  bool open = true;
  while (open) {
    const std::string_view token = take_token(line);
    open = add_token(token.empty() ? kLineEnd : token);
  }
  if (rules_.word_ngrams > 1 && rules_.ngrams.buckets > 0) add_runs_of_words();
}

void TextFeatures::read_word(std::string_view word) {
  clear();
  add_word(word, rules_.words->find(word));
}

void TextFeatures::clear() {
  rows_.clear();
  hashes_.clear();
  n_zeros_ = 0;
}

bool TextFeatures::add_token(std::string_view token) {
  const int32_t index = rules_.words->find(token);
  if (index < 0 && is_label(token)) return true;
  add_word(token, index);
  if (rules_.word_ngrams > 1) hashes_.push_back(hash_word(token));
  return token != kLineEnd;
}

bool TextFeatures::is_label(std::string_view token) const {
  const std::string_view prefix = rules_.label_prefix;
  return (!prefix.empty() && token.starts_with(prefix)) || rules_.labels->find(token) >= 0;
}

void TextFeatures::add_word(std::string_view word, int32_t index) {
  if (index >= 0) rows_.push_back(static_cast<size_t>(index));
  const NgramRows& ngrams = rules_.ngrams;
  if (ngrams.max_char <= 0 || ngrams.buckets == 0) return;
  for_each_ngram(word, ngrams.min_char, ngrams.max_char, wrapped_,
                 [&](std::string_view, uint32_t hash) { add_bucket(hash % ngrams.buckets); });
}

void TextFeatures::add_runs_of_words() {
  for_each_word_ngram(hashes_, rules_.word_ngrams, [&](uint64_t hash) {
    add_bucket(static_cast<uint32_t>(hash % rules_.ngrams.buckets));
  });
}

void TextFeatures::add_bucket(uint32_t bucket) {
  const int64_t place = rules_.bucket_index->find(bucket);
  if (place < 0) {
    n_zeros_ += rules_.drops_other_buckets ? 0 : 1;
    return;
  }
  const auto at = static_cast<size_t>(place);
  const size_t row = rules_.bucket_rows.empty() ? at : static_cast<size_t>(rules_.bucket_rows[at]);
  rows_.push_back(rules_.n_words + row);
}

}  // namespace brasa
