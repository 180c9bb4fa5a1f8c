#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "text/utf8.h"

namespace {

using brasa::find_invalid_utf8;

// RFC 3629, section 3.
std::string encode(std::uint32_t c) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f))};
  if (c < 0x10000) {
    return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
  }
  return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)),
          byte(0x80 | (c & 0x3f))};
}

TEST_CASE("all characters are valid, all surrogates and what lies above U+10FFFF are not") {
  for (std::uint32_t c = 0; c < 0x120000; ++c) {
    const bool valid = c < 0x110000 && (c < 0xd800 || c > 0xdfff);
    const std::string text = encode(c);
    if (find_invalid_utf8(text) != (valid ? text.size() : 0)) FAIL("wrong for U+" << c);
  }
}

TEST_CASE("overlong forms, stray and missing bytes are found at their place") {
  for (const std::string bad : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\x80",
                                "\xbf", "\xfe", "\xff", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82",
                                "\xf0\x9f\x94", "\xc3 ", "\xe2\x82 ", "\xed\xa0\x80"}) {
    for (std::size_t before = 0; before < 40; ++before) {
      const std::string prefix(before, 'a');
      CAPTURE(before);
      CHECK(find_invalid_utf8(prefix + bad) == before);
      CHECK(find_invalid_utf8(prefix + bad + std::string(40, 'b')) == before);
      CHECK(find_invalid_utf8(prefix + "\xc3\xa9" + bad) == before + 2);
    }
  }
}

}  // namespace
