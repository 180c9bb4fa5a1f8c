#include "text/word_index.h"

#include <bit>

#include "text/word_key.h"

namespace brasa {

namespace {

std::uint64_t hash_of(std::string_view word) {
  return word.size() <= kMaxShortWord ? hash_short(short_key(word)) : hash_long(word);
}

}  // namespace

WordIndex::WordIndex(const WordsView& words)
    : words_(words), slots_(std::bit_ceil(2 * words.size() + 2)), mask_(slots_.size() - 1) {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const std::uint64_t hash = hash_of(words_[i]);
    std::uint64_t& slot = slots_[find_slot(words_[i], hash)];
    if (slot != 0) {
      ++n_duplicates_;
    } else {
      slot = (hash >> 32 << 32) | (i + 1);
    }
  }
}

std::int32_t WordIndex::find(std::string_view word) const {
  const std::uint64_t value = slots_[find_slot(word, hash_of(word))];
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(value)) - 1;
}

// The slot that holds the word, or the empty one where it would be.
std::size_t WordIndex::find_slot(std::string_view word, std::uint64_t hash) const {
  for (std::size_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
    const std::uint64_t value = slots_[slot];
    if (value == 0) return slot;
    if ((value ^ hash) >> 32 == 0 && words_[static_cast<std::uint32_t>(value) - 1] == word) {
      return slot;
    }
  }
}

}  // namespace brasa
