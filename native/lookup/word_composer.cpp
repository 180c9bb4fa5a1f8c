#include "lookup/word_composer.h"

#include <algorithm>

#include "parallel/parallel_for.h"
#include "text/subwords.h"

namespace brasa {
namespace {

// Below this many words a second thread brings little: a word takes 1 to 3 us.
constexpr size_t kWordsPerThread = 512;

}  // namespace

// The mean of a word's rows. All are found before the first is read, so that they come at once.
void WordComposer::compose(std::string_view word, int32_t index, std::span<float> out) {
  found_.clear();
  size_t n_rows = 0;
  if (index >= 0 && static_cast<size_t>(index) < n_words_) {
    found_.push_back(static_cast<size_t>(index));
    ++n_rows;
  }
  if (ngrams_.buckets > 0) n_rows += find_ngrams(word);
  std::fill(out.begin(), out.end(), 0.0F);
  rows_.add(found_, out);
  divide(out, n_rows);
}

size_t WordComposer::find_ngrams(std::string_view word) {
  size_t n_ngrams = 0;
  for_each_ngram(word, ngrams_.min_char, ngrams_.max_char, wrapped_,
                 [&](std::string_view, uint32_t hash) {
                   ++n_ngrams;
                   find_ngram(hash % ngrams_.buckets);
                 });
  return n_ngrams;
}

void WordComposer::find_ngram(uint32_t bucket) {
  const int64_t place = buckets_ != nullptr ? buckets_->find(bucket) : ngrams_.find(bucket);
  if (place < 0) return;
  const size_t row = n_words_ + static_cast<size_t>(place);
  if (row >= rows_.n_rows()) return;
  found_.push_back(row);
}

void compose_vectors(const WordSpans& words, std::span<const int32_t> indices,
                     const InputRows& rows, size_t n_words, const NgramRows& ngrams,
                     std::span<float> out) {
  parallel_for(words.size(), kWordsPerThread, [&](size_t begin, size_t end) {
    WordComposer composer(rows, n_words, ngrams);
    for (size_t i = begin; i < end; ++i) {
      composer.compose(words.word(i), indices[i], out.subspan(i * rows.dim(), rows.dim()));
    }
  });
}

}  // namespace brasa
