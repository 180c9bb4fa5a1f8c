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
    write_mean(found_, found_.size(), out);
  }

 private:
  void add(std::uint32_t bucket) {
    found_.push_back(rows_.row(n_words_ + bucket));
    prefetch_row(found_.back(), rows_.dim);
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
      composer.compose(words.word(i), indices[i], out.subspan(i * rows.dim, rows.dim));
    }
  });
}

}  // namespace brasa
