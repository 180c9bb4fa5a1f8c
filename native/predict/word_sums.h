// Sums of the rows of words that were seen lately: in texts the same words come again and again,
// and a sum costs one row where a word with character n-grams has some twenty, each to be hashed,
// found and fetched.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "train/step.h"

namespace brasa {

// A table without chains: a word takes the place of another one of the same slot. For one thread.
class WordSums {
 public:
  struct Slot {
    std::array<char, 24> word{};
    uint32_t hash = 0;
    uint8_t length = 0;  // 0: free
    bool is_label = false;
    uint32_t count = 0;  // features
  };

  explicit WordSums(size_t dim)
      : dim_(dim),
        slots_(std::clamp(std::bit_floor(kBytes / (sizeof(float) * std::max<size_t>(dim, 1))),
                          kFewest, kMost)),
        sums_(slots_.size() * dim) {}

  // Longer words are not kept: they are rare.
  static bool takes(std::string_view word) {
    return !word.empty() && word.size() <= sizeof(Slot::word);
  }
  // The slot of a word that `takes`, whether or not it is there.
  size_t slot_of(uint32_t hash) const { return hash & (slots_.size() - 1); }
  bool has(size_t at, std::string_view word, uint32_t hash) const {
    const Slot& slot = slots_[at];
    return slot.hash == hash && slot.length == word.size() &&
           std::memcmp(slot.word.data(), word.data(), word.size()) == 0;
  }
  const Slot& slot(size_t at) const { return slots_[at]; }
  std::span<float> sum(size_t at) { return {sums_.data() + at * dim_, dim_}; }
  // The word's sum is zeros then, to be added to.
  void put(size_t at, std::string_view word, uint32_t hash, bool is_label) {
    Slot& slot = slots_[at];
    std::copy(word.begin(), word.end(), slot.word.begin());
    slot.hash = hash;
    slot.length = static_cast<uint8_t>(word.size());
    slot.is_label = is_label;
    slot.count = 0;
    std::fill_n(sums_.data() + at * dim_, dim_, 0.0F);
  }
  void set_count(size_t at, size_t count) { slots_[at].count = static_cast<uint32_t>(count); }

 private:
  // Within the second cache of a core, of 1 MB and more, beside the rows that are fetched.
  static constexpr size_t kBytes = size_t{1} << 19;
  static constexpr size_t kFewest = 256, kMost = 8192;

  size_t dim_;
  std::vector<Slot> slots_;
  FloatBuffer sums_;
};

}  // namespace brasa
