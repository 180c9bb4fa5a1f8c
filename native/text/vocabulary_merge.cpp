#include "text/vocabulary_merge.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "text/line_end.h"

namespace brasa {

namespace {

// What the order is decided by; the words themselves are looked at only for ties.
struct SortKey {
  std::int64_t count;
  std::uint64_t prefix;
  std::uint32_t id;  // in the joined table
};

std::vector<SortKey> sorted_words(const WordTable& words, std::int64_t min_count) {
  std::vector<SortKey> keys;
  const std::span entries = words.entries();
  for (std::size_t id = 0; id < entries.size(); ++id) {
    if (entries[id].count < min_count) continue;
    keys.push_back({entries[id].count, words.prefix(entries[id]), static_cast<std::uint32_t>(id)});
  }
  const auto word = [&](const SortKey& key) { return words.word(entries[key.id]); };
  std::sort(keys.begin(), keys.end(), [&](const SortKey& a, const SortKey& b) {
    if (a.count != b.count) return a.count > b.count;
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return word(a) < word(b);
  });
  return keys;
}

// Adds the words of one table to another; gives their numbers there.
std::vector<std::int32_t> add_words(WordTable& words, const WordTable& other) {
  constexpr std::size_t kAhead = 16;  // look-ups that wait for memory together
  const std::span entries = other.entries();
  std::vector<std::int32_t> numbers(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + kAhead < entries.size()) words.prefetch_slot(other.hash(entries[i + kAhead]));
    if (i + kAhead / 2 < entries.size()) words.prefetch_entry(other.hash(entries[i + kAhead / 2]));
    numbers[i] = static_cast<std::int32_t>(words.add_entry(other, entries[i]));
  }
  return numbers;
}

}  // namespace

MergedVocabulary merge_vocabulary(std::span<WordTable* const> tables, std::int64_t min_count,
                                  std::optional<std::int64_t> max_vocab) {
  MergedVocabulary merged;
  WordTable& words = *tables[0];
  merged.final_ids.resize(tables.size());
  for (std::size_t t = 1; t < tables.size(); ++t)
    merged.final_ids[t] = add_words(words, *tables[t]);
  const std::uint32_t line_end = words.add(kLineEnd, 0);
  const std::span entries = words.entries();
  for (std::size_t id = 0; id < entries.size(); ++id) {
    merged.n_tokens += entries[id].count;
    if (id == line_end) continue;
    ++merged.n_distinct;
    auto& [first, second] = merged.top_counts;
    second = std::max(second, std::min(first, entries[id].count));
    first = std::max(first, entries[id].count);
  }

  // The line end may have been added above with a count of 0.
  std::vector<SortKey> kept = sorted_words(words, std::max<std::int64_t>(min_count, 1));
  if (max_vocab && static_cast<std::int64_t>(kept.size()) > *max_vocab) {
    kept.resize(static_cast<std::size_t>(*max_vocab));
  }
  if (kept.size() > std::numeric_limits<std::int32_t>::max()) {
    throw std::length_error("more than 2 billion distinct words");
  }

  std::vector<std::int32_t> index_of(entries.size(), -1);
  merged.offsets.reserve(kept.size() + 1);
  merged.counts.reserve(kept.size());
  merged.offsets.push_back(0);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::string_view word = words.word(entries[kept[i].id]);
    index_of[kept[i].id] = static_cast<std::int32_t>(i);
    merged.arena.insert(merged.arena.end(), word.begin(), word.end());
    merged.offsets.push_back(static_cast<std::int64_t>(merged.arena.size()));
    merged.counts.push_back(kept[i].count);
    merged.n_kept_tokens += kept[i].count;
  }
  for (std::vector<std::int32_t>& ids : merged.final_ids) {
    for (std::int32_t& id : ids) id = index_of[static_cast<std::uint32_t>(id)];
  }
  merged.final_ids[0] = std::move(index_of);
  return merged;
}

}  // namespace brasa
