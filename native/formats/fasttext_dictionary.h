// The dictionary of a fastText file: each entry's bytes, a NUL, its count (int64) and its kind (a
// byte: 0 word, 1 label).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace brasa {

inline constexpr size_t kEntryTail = 9;                   // count and kind
inline constexpr size_t kMinEntryBytes = kEntryTail + 1;  // an empty word

// What is wrong with an entry: `field` of `entry`, `offset` bytes after the dictionary's start.
class DictionaryError : public std::runtime_error {
 public:
  DictionaryError(const std::string& field, size_t offset, std::string expected, std::string found)
      : std::runtime_error(field),
        field_(field),
        offset_(offset),
        expected_(std::move(expected)),
        found_(std::move(found)) {}

  const std::string& field() const { return field_; }
  size_t offset() const { return offset_; }
  const std::string& expected() const { return expected_; }
  const std::string& found() const { return found_; }

 private:
  std::string field_;
  size_t offset_;
  std::string expected_;
  std::string found_;
};

struct DictionaryPart {
  std::vector<uint8_t> arena;
  std::vector<int64_t> offsets;  // n_entries + 1, into arena
  std::vector<int64_t> counts;
  size_t n_bytes = 0;  // that the entries take in the file
};

// Reads n_entries entries of one kind. The memory it takes is in proportion to the bytes it reads,
// whatever n_entries is. Throws DictionaryError, in which entries are numbered from `first_entry`
// and offsets from the start of `bytes`.
DictionaryPart parse_dictionary(std::span<const uint8_t> bytes, size_t n_entries, uint8_t kind,
                                size_t first_entry);

// The bytes of the entries [first, last).
std::string format_dictionary(std::span<const uint8_t> arena, std::span<const int64_t> offsets,
                              std::span<const int64_t> counts, uint8_t kind, size_t first,
                              size_t last);

}  // namespace brasa
