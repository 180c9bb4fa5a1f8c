// Counts words and numbers them in order of first sight. One table belongs to one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/word_key.h"

namespace brasa {

class WordTable {
 public:
  // 24 bytes a word. Entries are dense in order of first sight, so the frequent words, which come
  // early, share few cache lines. A long word has its hash in key.low, and in key.high the marker
  // byte and the place of its bytes in the arena.
  struct Entry {
    WordKey key;
    std::int64_t count = 0;
  };

  WordTable();

  // Counts one occurrence of a word (or `count` of them), gives its number.
  std::uint32_t add_short(WordKey key, std::uint64_t hash, std::int64_t count = 1);
  std::uint32_t add_long(std::string_view word, std::uint64_t hash, std::int64_t count = 1);
  std::uint32_t add(std::string_view word, std::int64_t count = 1);
  // Counts as often as another table's entry says.
  std::uint32_t add_entry(const WordTable& other, const Entry& entry);

  // Starts loading the slot in which a word with this hash is looked for, and, once it is there,
  // the entry that it points to.
  void prefetch_slot(std::uint64_t hash) const { __builtin_prefetch(&slots_[first_slot(hash)]); }
  void prefetch_entry(std::uint64_t hash) const {
    const auto number = static_cast<std::uint32_t>(slots_[first_slot(hash)]);
    __builtin_prefetch(entries_.data() + (number - (number == 0 ? 0 : 1)));
  }

  std::span<const Entry> entries() const { return entries_; }
  // The word's bytes, valid as long as the entry and the table are left alone.
  std::string_view word(const Entry& entry) const {
    if (is_long(entry)) return long_word(entry);
    return {reinterpret_cast<const char*>(&entry.key), entry.key.high >> 56};
  }
  std::uint64_t hash(const Entry& entry) const {
    return is_long(entry) ? entry.key.low : hash_short(entry.key);
  }
  // The first 8 bytes as a big-endian number: orders words as their bytes do, up to ties.
  std::uint64_t prefix(const Entry& entry) const;

 private:
  static constexpr std::uint64_t kLongMarker = 0xffULL << 56;

  // By the half of the hash that slots hold, so that a table that grows need not look at the words:
  // they go to about where they were, or as far behind, and not here and there.
  std::size_t first_slot(std::uint64_t hash) const { return std::rotl(hash, 32) & slot_mask_; }
  static bool is_long(const Entry& entry) { return (entry.key.high >> 56) == 0xff; }
  std::string_view long_word(const Entry& entry) const;
  std::uint32_t insert(std::size_t slot, WordKey key, std::uint64_t hash, std::int64_t count);
  void grow();

  // 0 = empty, otherwise the hash's upper half and, below it, the word's number + 1.
  std::vector<std::uint64_t> slots_;
  std::uint64_t slot_mask_;
  std::vector<Entry> entries_;
  std::vector<char> arena_;  // long words: 4 bytes of length, then the bytes
};

inline std::uint32_t WordTable::add_short(WordKey key, std::uint64_t hash, std::int64_t count) {
  for (std::size_t slot = first_slot(hash);; slot = (slot + 1) & slot_mask_) {
    const std::uint64_t value = slots_[slot];
    if (value == 0) return insert(slot, key, hash, count);
    if ((value ^ hash) >> 32 == 0) {
      const auto id = static_cast<std::uint32_t>(value) - 1;
      Entry& entry = entries_[id];
      if (entry.key == key) {
        entry.count += count;
        return id;
      }
    }
  }
}

}  // namespace brasa
