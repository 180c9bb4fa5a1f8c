#include "predict/text_features.h"

#include <algorithm>
#include <array>

#include "text/line_end.h"
#include "text/subwords.h"
#include "text/tokenizer.h"
#include "text/word_ngrams.h"

namespace brasa {
namespace {

constexpr std::array<char, 16> kLineEndBytes{'<', '/', 's', '>'};
constexpr std::string_view kLineEndToken{kLineEndBytes.data(), kLineEnd.size()};

}  // namespace

void TextFeatures::read_line(std::string_view line, bool known_apart) {
  clear();
  split(line);
  for (const Token& token : tokens_) {
    if (token.index < 0 && is_label(token.word)) continue;
    if (token.index >= 0 && known_apart) {
      known_words_.push_back({token.word, token.index});
    } else {
      add_word(token.word, token.index);
    }
    if (rules_.word_ngrams > 1) hashes_.push_back(token.hash);
  }
  if (rules_.word_ngrams > 1 && rules_.ngrams.buckets > 0) add_runs_of_words();
}

void TextFeatures::split(std::string_view line) {
  struct Sink {
    TextFeatures& features;
    bool open = true;

    void word(const char* bytes, size_t length) {
      if (!open) return;
      features.add_token({bytes, length});
      open = features.tokens_.back().word != kLineEnd;
    }
    void line_end() {}
  };
  text_.assign(line);
  if (line.find('\0') != std::string_view::npos) std::ranges::replace(text_, '\0', ' ');
  text_.append(kTextPadding, ' ');
  tokens_.clear();
  Sink sink{*this};
  tokenize(text_.data(), line.size(), sink);
  if (sink.open) add_token(kLineEndToken);
  recall_words();
  find_new_words();
}

// `token` can be read to 16 bytes. Where it may be remembered is asked for, and looked at when all
// tokens of the line are known.
void TextFeatures::add_token(std::string_view token) {
  Token& added = tokens_.emplace_back(token);
  if (token.size() > kMaxShortWord) return;
  added.key = padded_short_key(token.data(), token.size());
  added.recent = &recent(added.key);
  __builtin_prefetch(added.recent);
}

void TextFeatures::recall_words() {
  new_tokens_.clear();
  for (size_t i = 0; i < tokens_.size(); ++i) {
    Token& token = tokens_[i];
    if (token.recent != nullptr && token.recent->key == token.key) {
      token.index = token.recent->index;
      token.hash = token.recent->hash;
    } else {
      new_tokens_.push_back(i);
    }
  }
}

void TextFeatures::find_new_words() {
  new_words_.clear();
  for (const size_t i : new_tokens_) new_words_.push_back(tokens_[i].word);
  new_indices_.resize(new_words_.size());
  rules_.words->find(new_words_, new_indices_);
  for (size_t n = 0; n < new_words_.size(); ++n) {
    Token& token = tokens_[new_tokens_[n]];
    token.index = new_indices_[n];
    token.hash = hash_word(token.word);
    if (token.recent != nullptr) *token.recent = {token.key, token.index, token.hash};
  }
}

void TextFeatures::read_word(const KnownWord& word) {
  clear();
  add_word(word.word, word.index);
}

void TextFeatures::clear() {
  rows_.clear();
  known_words_.clear();
  hashes_.clear();
  n_zeros_ = 0;
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
