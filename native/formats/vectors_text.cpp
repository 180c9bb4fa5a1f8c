#include "formats/vectors_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace brasa {
namespace {

constexpr int kDigits = 5;
constexpr std::array<double, 9> kPowers = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};

// The two digits of every number below 100.
constexpr std::array<char, 200> kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// Digits of a number in [1e-4, 1), which nearly every element of a word vector is; null where they
// cannot be told. to_chars takes 95 ns for one of them, this 15. The float and the power are exact
// in a double, so the product is off by at most half a unit in its last place, 1e-11 here; where
// that could change the rounding, to_chars decides.
char* write_fraction(double magnitude, char* out) {
  const int zeros = (magnitude < 0.1) + (magnitude < 0.01) + (magnitude < 0.001);
  const double scaled = magnitude * kPowers[static_cast<size_t>(zeros + kDigits)];
  const auto whole = static_cast<unsigned>(scaled);
  const double rest = scaled - whole;
  if (std::abs(rest - 0.5) < 1e-9) return nullptr;
  const unsigned digits = whole + (rest > 0.5 ? 1 : 0);
  if (digits < 10000 || digits > 99999) return nullptr;  // rounded up to a power of ten
  std::memcpy(out, "0.000", 5);
  out += 2 + zeros;
  out[0] = static_cast<char>('0' + digits / 10000);
  std::memcpy(out + 1, &kPairs[digits / 100 % 100 * 2], 2);
  std::memcpy(out + 3, &kPairs[digits % 100 * 2], 2);
  out += kDigits;
  while (out[-1] == '0') --out;
  return out;
}

}  // namespace

char* write_number(float value, char* out) {
  const double magnitude = std::abs(static_cast<double>(value));
  if (magnitude >= 1e-4 && magnitude < 1.0) {
    *out = '-';
    if (char* end = write_fraction(magnitude, out + (value < 0)); end != nullptr) return end;
  }
  return std::to_chars(out, out + kMaxNumberLength, value, std::chars_format::general, kDigits).ptr;
}

void append_vector_lines(const WordSpans& words, size_t first, const RowView& vectors,
                         std::string& out) {
  for (size_t i = 0; i < vectors.n_rows; ++i) {
    const std::string_view word = words.word(first + i);
    const size_t start = out.size();
    out.resize(start + word.size() + 2 + vectors.dim * (kMaxNumberLength + 1));
    char* end = std::copy(word.begin(), word.end(), out.data() + start);
    *end++ = ' ';
    for (size_t d = 0; d < vectors.dim; ++d) {
      end = write_number(vectors.row(i)[d], end);
      *end++ = ' ';
    }
    *end++ = '\n';
    out.resize(static_cast<size_t>(end - out.data()));
  }
}

}  // namespace brasa
