#include "formats/finalfusion.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "text/subwords.h"

namespace brasa {
namespace {

constexpr std::size_t kPruneAt = 1 << 22;

std::uint64_t add_bytes(std::uint64_t hash, std::uint64_t value, int n_bytes) {
  for (int i = 0; i < n_bytes; ++i) {
    hash = (hash ^ (value >> (8 * i) & 0xff)) * 0x100000001b3ULL;
  }
  return hash;
}

std::uint64_t hash_ngram(std::string_view ngram) {
  std::uint64_t n_chars = 0;
  for (const char byte : ngram) n_chars += !continues_character(byte);
  std::uint64_t hash = add_bytes(0xcbf29ce484222325ULL, n_chars, 8);
  for (std::size_t i = 0; i < ngram.size();) {
    const auto lead = static_cast<unsigned char>(ngram[i++]);
    // The lead byte of a sequence of n bytes has 7 - n bits of the character (7 if n is 1).
    std::uint32_t character = lead < 0x80   ? lead
                              : lead < 0xe0 ? lead & 0x1f
                              : lead < 0xf0 ? lead & 0x0f
                                            : lead & 0x07;
    while (i < ngram.size() && continues_character(ngram[i])) {
      character = character << 6 | (static_cast<unsigned char>(ngram[i++]) & 0x3f);
    }
    hash = add_bytes(hash, character, 4);
  }
  return hash;
}

void keep_each_once(std::vector<NgramRow>& found) {
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
}

}  // namespace

std::vector<NgramRow> finalfusion_ngrams(const WordSpans& words, int min_char, int max_char,
                                         int exponent) {
  const std::uint64_t mask = (1ULL << exponent) - 1;
  std::vector<NgramRow> found;
  std::size_t prune_at = kPruneAt;
  std::string scratch;
  for (std::size_t i = 0; i < words.size(); ++i) {
    for_each_ngram(words.word(i), min_char, max_char, scratch,
                   [&](std::string_view ngram, std::uint32_t hash) {
                     const std::uint64_t row = hash_ngram(ngram) & mask;
                     found.push_back({hash, static_cast<std::int64_t>(row)});
                   });
    if (found.size() > prune_at) {
      keep_each_once(found);
      prune_at = std::max(kPruneAt, 2 * found.size());
    }
  }
  keep_each_once(found);
  return found;
}

}  // namespace brasa
