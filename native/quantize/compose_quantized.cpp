#include "quantize/compose_quantized.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "formats/parallel.h"
#include "text/subwords.h"

namespace brasa {
namespace {

// Below this many words a thread costs more than it brings (20 us to start, 2-3 us a word).
constexpr size_t kWordsPerThread = 256;

// One thread's share of the words.
class Composer {
 public:
  Composer(const InputRows& rows, size_t n_words, const NgramRows& ngrams)
      : rows_(rows), n_words_(n_words), ngrams_(ngrams) {}

  void compose(std::string_view word, int32_t index, std::span<float> out) {
    found_.clear();
    size_t n_parts = 0;
    if (index >= 0 && static_cast<size_t>(index) < n_words_) {
      found_.push_back(static_cast<size_t>(index));
      ++n_parts;
    }
    if (ngrams_.buckets > 0) {
      for_each_ngram(word, ngrams_.min_char, ngrams_.max_char, wrapped_,
                     [&](std::string_view, uint32_t hash) {
                       ++n_parts;
                       add_bucket(hash % ngrams_.buckets);
                     });
    }
    std::fill(out.begin(), out.end(), 0.0F);
    rows_.add(found_, out);
    if (n_parts < 2) return;
    const float scale = 1.0F / static_cast<float>(n_parts);
    for (float& value : out) value *= scale;
  }

 private:
  void add_bucket(uint32_t bucket) {
    const int64_t place = ngrams_.find(bucket);
    if (place < 0) return;
    const size_t row = n_words_ + static_cast<size_t>(place);
    if (row >= rows_.n_rows()) return;
    found_.push_back(row);
  }

  const InputRows& rows_;
  size_t n_words_;
  const NgramRows& ngrams_;
  std::string wrapped_;
  std::vector<size_t> found_;
};

}  // namespace

void compose_quantized(const WordSpans& words, std::span<const int32_t> indices,
                       const InputRows& rows, size_t n_words, const NgramRows& ngrams,
                       std::span<float> out) {
  parallel_for(words.size(), kWordsPerThread, [&](size_t begin, size_t end) {
    Composer composer(rows, n_words, ngrams);
    for (size_t i = begin; i < end; ++i) {
      composer.compose(words.word(i), indices[i], out.subspan(i * rows.dim(), rows.dim()));
    }
  });
}

}  // namespace brasa
