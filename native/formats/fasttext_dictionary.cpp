#include "formats/fasttext_dictionary.h"

#include <algorithm>
#include <cstring>

namespace brasa {
namespace {

[[noreturn]] void refuse(size_t entry, const char* what, size_t offset, std::string expected,
                         std::string found) {
  throw DictionaryError("dictionary entry " + std::to_string(entry) + ", " + what, offset,
                        std::move(expected), std::move(found));
}

}  // namespace

DictionaryPart parse_dictionary(std::span<const uint8_t> bytes, size_t n_entries, uint8_t kind,
                                size_t first_entry) {
  if (n_entries > bytes.size() / kMinEntryBytes) {
    throw DictionaryError("dictionary", 0,
                          std::to_string(n_entries) + " entries of at least " +
                              std::to_string(kMinEntryBytes) + " bytes",
                          std::to_string(bytes.size()) + " bytes up to the end of the file");
  }
  DictionaryPart part;
  part.offsets.reserve(n_entries + 1);
  part.offsets.push_back(0);
  part.counts.reserve(n_entries);
  part.arena.reserve(std::min(bytes.size() - n_entries * kMinEntryBytes, n_entries * 12));
  const uint8_t* at = bytes.data();
  const uint8_t* const end = at + bytes.size();
  for (size_t i = 0; i < n_entries; ++i) {
    const auto left = static_cast<size_t>(end - at);
    const auto offset = static_cast<size_t>(at - bytes.data());
    const auto* stop = static_cast<const uint8_t*>(left > 0 ? std::memchr(at, 0, left) : nullptr);
    if (stop == nullptr) {
      refuse(first_entry + i, "word", offset, "bytes that end with a NUL",
             std::to_string(left) + " bytes without one");
    }
    if (static_cast<size_t>(end - stop) < kMinEntryBytes) {
      refuse(first_entry + i, "count and kind", static_cast<size_t>(stop + 1 - bytes.data()),
             "9 bytes", std::to_string(end - stop - 1) + " up to the end of the file");
    }
    int64_t count = 0;
    std::memcpy(&count, stop + 1, sizeof count);
    if (count < 0) {
      refuse(first_entry + i, "count", static_cast<size_t>(stop + 1 - bytes.data()),
             "a number that is not negative", std::to_string(count));
    }
    if (stop[kEntryTail] != kind) {
      refuse(first_entry + i, "kind", static_cast<size_t>(stop + kEntryTail - bytes.data()),
             kind == 0 ? "0, a word" : "1, a label", std::to_string(stop[kEntryTail]));
    }
    part.arena.insert(part.arena.end(), at, stop);
    part.offsets.push_back(static_cast<int64_t>(part.arena.size()));
    part.counts.push_back(count);
    at = stop + kMinEntryBytes;
  }
  part.n_bytes = static_cast<size_t>(at - bytes.data());
  return part;
}

std::string format_dictionary(std::span<const uint8_t> arena, std::span<const int64_t> offsets,
                              std::span<const int64_t> counts, uint8_t kind, size_t first,
                              size_t last) {
  std::string bytes;
  for (size_t i = first; i < last; ++i) {
    const int64_t begin = offsets[i], end = offsets[i + 1];
    if (begin < 0 || end < begin || end > static_cast<int64_t>(arena.size())) {
      throw std::invalid_argument("offsets do not rise");
    }
    bytes.append(reinterpret_cast<const char*>(arena.data()) + begin,
                 static_cast<size_t>(end - begin));
    bytes.push_back('\0');
    bytes.append(reinterpret_cast<const char*>(&counts[i]), sizeof counts[i]);
    bytes.push_back(static_cast<char>(kind));
  }
  return bytes;
}

}  // namespace brasa
