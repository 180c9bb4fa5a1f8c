#include "text/word_index.h"

#include <algorithm>
#include <array>
#include <bit>

#include "memory/large_array.h"
#include "text/word_key.h"

namespace brasa {

namespace {

std::uint64_t hash_of(std::string_view word) {
  return word.size() <= kMaxShortWord ? hash_short(short_key(word)) : hash_long(word);
}

}  // namespace

WordIndex::WordIndex(const WordsView& words)
    : words_(words),
      mask_(std::bit_ceil(2 * words.size() + 2) - 1),
      slots_(make_large<std::uint64_t>(mask_ + 1)) {
  std::fill_n(slots_.get(), mask_ + 1, 0);
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

// A word that is not in the cache takes three waits, one after the other: its slot, its place, its
// bytes. Those of kAtOnce words are waited for together.
void WordIndex::find(std::span<const std::string_view> words, std::span<std::int32_t> found) const {
  constexpr std::size_t kAtOnce = 32;
  std::array<std::uint64_t, kAtOnce> hashes;
  std::array<std::uint32_t, kAtOnce> candidates;  // index + 1 of the word that it probably is
  for (std::size_t first = 0; first < words.size(); first += kAtOnce) {
    const std::span some = words.subspan(first, std::min(kAtOnce, words.size() - first));
    for (std::size_t i = 0; i < some.size(); ++i) {
      hashes[i] = hash_of(some[i]);
      __builtin_prefetch(&slots_[hashes[i] & mask_]);
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      std::size_t slot = hashes[i] & mask_;
      while (slots_[slot] != 0 && (slots_[slot] ^ hashes[i]) >> 32 != 0) slot = (slot + 1) & mask_;
      candidates[i] = static_cast<std::uint32_t>(slots_[slot]);
      if (candidates[i] != 0) __builtin_prefetch(&words_.offsets[candidates[i] - 1]);
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (candidates[i] != 0) __builtin_prefetch(words_[candidates[i] - 1].data());
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::uint32_t candidate = candidates[i];
      const bool certain = candidate == 0 || words_[candidate - 1] == some[i];
      found[first + i] = certain ? static_cast<std::int32_t>(candidate) - 1 : find(some[i]);
    }
  }
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
