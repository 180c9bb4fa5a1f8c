#include "text/utf8.h"

#include <cstdint>
#include <cstring>

namespace brasa {

namespace {

// Length of the valid character at `bytes`, of which `available` can be read; 0 if there is none.
// Table 3-7 of the Unicode Standard: only the second byte's range depends on the first.
std::size_t character_length(const unsigned char* bytes, std::size_t available) {
  const unsigned char first = bytes[0];
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (available < length || bytes[1] < low || bytes[1] > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + 16 <= text.size()) {
      std::uint64_t words[2];
      std::memcpy(words, bytes + i, 16);
      if (((words[0] | words[1]) & 0x8080808080808080ULL) == 0) {
        i += 16;
        continue;
      }
    }
    const std::size_t length = character_length(bytes + i, text.size() - i);
    if (length == 0) return i;
    i += length;
  }
  return text.size();
}

}  // namespace brasa
