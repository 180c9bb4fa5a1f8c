#include "formats/vectors_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace brasa {
namespace {

constexpr int kDigits = 5;
constexpr std::array<double, 9> kPowers = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};

void append_slowly(float value, std::string& out) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::general, kDigits);
  out.append(text.data(), end.ptr);
}

// Digits of a number in [1e-4, 1): what nearly every element of a word vector is. to_chars takes
// 90 ns for one, this 12. The float and the power are exact in a double, so the product is off by
// at most half a unit in its last place, 1e-11 here; where that could change the rounding, to_chars
// decides.
bool append_fraction(double magnitude, std::string& out) {
  int zeros = 0;  // after the point, before the first digit
  while (zeros < 3 && magnitude * kPowers[static_cast<size_t>(zeros) + 1] < 1.0) ++zeros;
  const double scaled = magnitude * kPowers[static_cast<size_t>(zeros + kDigits)];
  const double whole = std::floor(scaled);
  const double rest = scaled - whole;
  if (std::abs(rest - 0.5) < 1e-9) return false;
  auto digits = static_cast<int>(whole) + (rest > 0.5 ? 1 : 0);
  if (digits < 10000 || digits > 99999) return false;  // rounded up to a power of ten
  int n_digits = kDigits;
  for (; digits % 10 == 0; digits /= 10) --n_digits;
  std::array<char, 16> text = {'0', '.', '0', '0', '0'};
  const int length = 2 + zeros + n_digits;
  for (int i = length - 1; i >= 2 + zeros; --i, digits /= 10) {
    text[static_cast<size_t>(i)] = static_cast<char>('0' + digits % 10);
  }
  out.append(text.data(), static_cast<size_t>(length));
  return true;
}

}  // namespace

void append_number(float value, std::string& out) {
  const double magnitude = std::abs(static_cast<double>(value));
  if (magnitude >= 1e-4 && magnitude < 1.0) {
    const size_t start = out.size();
    if (value < 0) out.push_back('-');
    if (append_fraction(magnitude, out)) return;
    out.resize(start);
  }
  append_slowly(value, out);
}

void append_vector_lines(const WordSpans& words, size_t first, const RowView& vectors,
                         std::string& out) {
  for (size_t i = 0; i < vectors.n_rows; ++i) {
    const std::span<const uint8_t> word = words.word(first + i);
    out.append(word.begin(), word.end());
    out.push_back(' ');
    for (size_t d = 0; d < vectors.dim; ++d) {
      append_number(vectors.row(i)[d], out);
      out.push_back(' ');
    }
    out.push_back('\n');
  }
}

}  // namespace brasa
