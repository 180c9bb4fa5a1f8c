#include "text/word_table.h"

#include <cstring>
#include <limits>
#include <stdexcept>

namespace brasa {

namespace {

constexpr std::size_t kInitialSlots = 1 << 14;
constexpr std::uint64_t kHalf = std::numeric_limits<std::uint32_t>::max();

}  // namespace

WordTable::WordTable() : slots_(kInitialSlots), slot_mask_(kInitialSlots - 1) {}

std::uint32_t WordTable::add_long(std::string_view word, std::uint64_t hash, std::int64_t count) {
  for (std::size_t slot = first_slot(hash);; slot = (slot + 1) & slot_mask_) {
    const std::uint64_t value = slots_[slot];
    if (value == 0) {
      const std::uint64_t place = arena_.size();
      const auto length = static_cast<std::uint32_t>(word.size());
      arena_.resize(place + sizeof(length) + length);
      std::memcpy(arena_.data() + place, &length, sizeof(length));
      std::memcpy(arena_.data() + place + sizeof(length), word.data(), length);
      return insert(slot, {hash, kLongMarker | place}, hash, count);
    }
    if ((value ^ hash) >> 32 == 0) {
      const auto id = static_cast<std::uint32_t>(value) - 1;
      Entry& entry = entries_[id];
      if (is_long(entry) && entry.key.low == hash && long_word(entry) == word) {
        entry.count += count;
        return id;
      }
    }
  }
}

std::uint32_t WordTable::add(std::string_view word, std::int64_t count) {
  if (word.size() > kMaxShortWord) return add_long(word, hash_long(word), count);
  const WordKey key = short_key(word);
  return add_short(key, hash_short(key), count);
}

std::uint32_t WordTable::add_entry(const WordTable& other, const Entry& entry) {
  if (is_long(entry)) return add_long(other.long_word(entry), entry.key.low, entry.count);
  return add_short(entry.key, hash_short(entry.key), entry.count);
}

std::uint64_t WordTable::prefix(const Entry& entry) const {
  std::uint64_t bytes = entry.key.low;
  if (is_long(entry)) std::memcpy(&bytes, long_word(entry).data(), 8);
  return __builtin_bswap64(bytes);
}

std::string_view WordTable::long_word(const Entry& entry) const {
  const char* place = arena_.data() + (entry.key.high & ~kLongMarker);
  std::uint32_t length = 0;
  std::memcpy(&length, place, sizeof(length));
  return {place + sizeof(length), length};
}

std::uint32_t WordTable::insert(std::size_t slot, WordKey key, std::uint64_t hash,
                                std::int64_t count) {
  if (entries_.size() >= std::numeric_limits<std::uint32_t>::max() - 1) {
    throw std::length_error("more than 4 billion distinct words");
  }
  entries_.push_back({key, count});
  const auto id = static_cast<std::uint32_t>(entries_.size() - 1);
  slots_[slot] = (hash >> 32 << 32) | (std::uint64_t{id} + 1);
  if (entries_.size() * 2 > slots_.size()) grow();
  return id;
}

void WordTable::grow() {
  std::vector<std::uint64_t> old(slots_.size() * 2);
  old.swap(slots_);
  slot_mask_ = slots_.size() - 1;
  for (const std::uint64_t value : old) {
    if (value == 0) continue;
    std::size_t slot = first_slot(
        slot_mask_ <= kHalf ? value : hash(entries_[static_cast<std::uint32_t>(value) - 1]));
    while (slots_[slot] != 0) slot = (slot + 1) & slot_mask_;
    slots_[slot] = value;
  }
}

}  // namespace brasa
