#include "formats/floret.h"

#include <algorithm>

#include "formats/parallel.h"
#include "text/line_end.h"

namespace brasa {
namespace {

constexpr std::size_t kWordsPerThread = 256;

class Composer {
 public:
  Composer(const RowView& rows, std::size_t n_words, const FloretHashing& hashing)
      : rows_(rows), n_words_(n_words), hashing_(hashing) {}

  void compose(std::string_view word, std::int32_t index, std::span<float> out) {
    found_.clear();
    if (n_words_ > 0 && index == 0) found_.push_back(rows_.row(0));
    if (n_words_ == 0 || word != kLineEnd) {
      for_each_floret_part(word, hashing_, scratch_, [&](std::string_view part) {
        const Hash128 hash = murmur_hash(part, hashing_.seed);
        for (int i = 0; i < hashing_.hash_count; ++i) add(hash.part(i) % hashing_.buckets);
      });
    }
    std::fill(out.begin(), out.end(), 0.0F);
    for (const float* row : found_) {
      for (std::size_t d = 0; d < out.size(); ++d) out[d] += row[d];
    }
    if (found_.empty()) return;
    const float scale = 1.0F / static_cast<float>(found_.size());
    for (float& value : out) value *= scale;
  }

 private:
  void add(std::uint32_t bucket) {
    const float* row = rows_.row(n_words_ + bucket);
    for (std::size_t d = 0; d < rows_.dim; d += 16) __builtin_prefetch(row + d);
    found_.push_back(row);
  }

  const RowView& rows_;
  std::size_t n_words_;
  const FloretHashing& hashing_;
  std::string scratch_;
  std::vector<const float*> found_;
};

}  // namespace

void compose_floret(const WordSpans& words, std::span<const int32_t> indices, const RowView& rows,
                    std::size_t n_words, const FloretHashing& hashing, std::span<float> out) {
  parallel_for(words.size(), kWordsPerThread, [&](std::size_t begin, std::size_t end) {
    Composer composer(rows, n_words, hashing);
    for (std::size_t i = begin; i < end; ++i) {
      const std::span<const std::uint8_t> word = words.word(i);
      composer.compose({reinterpret_cast<const char*>(word.data()), word.size()}, indices[i],
                       out.subspan(i * rows.dim, rows.dim));
    }
  });
}

}  // namespace brasa
