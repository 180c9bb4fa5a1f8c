#include "formats/vectors_parse.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "parallel/parallel_for.h"

namespace brasa {
namespace {

constexpr std::size_t kBytesPerPart = 1 << 18;
constexpr int kMaxExactPower = 22;  // 10^22 is the last power of ten that a double holds exactly

constexpr std::array<double, kMaxExactPower + 1> kPowers = [] {
  std::array<double, kMaxExactPower + 1> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char* skip_space(const char* at, const char* end) {
  while (at < end && is_space(*at)) ++at;
  return at;
}

const char* token_end(const char* at, const char* end) {
  while (at < end && !is_space(*at)) ++at;
  return at;
}

// What is outside of a double's range: tiny numbers are zero, huge ones no numbers.
std::optional<double> out_of_range(std::string_view digits) {
  const std::size_t exponent = digits.find_first_of("eE");
  const bool tiny = exponent == std::string_view::npos
                        ? digits.front() == '0' || digits.front() == '.'
                        : digits.substr(exponent + 1, 1) == "-";
  return tiny ? std::optional(0.0) : std::nullopt;
}

// Any number that is not the plain short kind of read_number.
const char* read_any_number(const char* at, const char* end, float& value) {
  const char* const stop = token_end(at, end);
  const bool negative = at < stop && *at == '-';
  if (at < stop && (*at == '-' || *at == '+')) ++at;
  if (at == stop || *at == '-') return nullptr;
  double magnitude = 0;
  const auto [rest, error] = std::from_chars(at, stop, magnitude);
  if (rest != stop) return nullptr;
  if (error == std::errc::result_out_of_range) {
    const auto known = out_of_range({at, static_cast<std::size_t>(stop - at)});
    if (!known) return nullptr;
    magnitude = *known;
  } else if (error != std::errc()) {
    return nullptr;
  }
  value = static_cast<float>(negative ? -magnitude : magnitude);
  return std::isfinite(value) ? stop : nullptr;
}

// Reads the number at `at`, and returns where it ends; null when there is none. Digits and the
// power of ten are exact in a double, so that one division rounds as strtod does: 6 ns a number
// where from_chars takes 25.
const char* read_number(const char* at, const char* end, float& value) {
  const char* p = at;
  const bool negative = p < end && *p == '-';
  p += negative;
  std::uint64_t digits = 0;
  const char* const first = p;
  while (p < end && is_digit(*p)) digits = digits * 10 + static_cast<std::uint64_t>(*p++ - '0');
  int power = 0;
  std::ptrdiff_t n_digits = p - first;
  if (p < end && *p == '.') {
    const char* const fraction = ++p;
    while (p < end && is_digit(*p)) digits = digits * 10 + static_cast<std::uint64_t>(*p++ - '0');
    power = static_cast<int>(std::min<std::ptrdiff_t>(p - fraction, 1000));
    n_digits += p - fraction;
  }
  // Below 10^15 digits are exact in a double, and no 64 bits have overflowed.
  if (n_digits == 0 || n_digits > 15) return read_any_number(at, end, value);
  if (p < end && (*p == 'e' || *p == 'E')) {
    int exponent = 0;
    const auto [rest, error] = std::from_chars(p + 1 + (p + 1 < end && p[1] == '+'), end, exponent);
    if (error != std::errc() || (p + 2 < end && p[1] == '+' && p[2] == '-')) {
      return read_any_number(at, end, value);
    }
    p = rest;
    if (exponent > kMaxExactPower || exponent < -kMaxExactPower) {
      return read_any_number(at, end, value);
    }
    power -= exponent;
  }
  if ((p < end && !is_space(*p)) || power > kMaxExactPower || power < -kMaxExactPower) {
    return read_any_number(at, end, value);
  }
  const auto whole = static_cast<double>(digits);
  const double scaled = power >= 0 ? whole / kPowers[static_cast<std::size_t>(power)]
                                   : whole * kPowers[static_cast<std::size_t>(-power)];
  value = static_cast<float>(negative ? -scaled : scaled);
  return std::isfinite(value) ? p : nullptr;
}

std::string quoted(std::string_view token) {
  constexpr std::size_t kShown = 40;
  return "'" + std::string(token.substr(0, kShown)) + (token.size() > kShown ? "...'" : "'");
}

// One thread's share of the text.
class LineReader {
 public:
  explicit LineReader(std::size_t dim) : dim_(dim) {}

  void read(std::string_view text, float* rows) {
    for (const char *at = text.data(), *end = at + text.size(); at < end && problem.empty();) {
      const char* stop =
          static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
      if (skip_space(at, stop) != stop) {
        if (!read_line(at, stop, rows)) problem = explain(at, stop, rows);
        rows += dim_;
      }
      ++n_lines;
      at = stop + 1;
    }
    if (!problem.empty()) --n_lines;
  }

  std::string words;
  std::vector<std::int64_t> ends;
  std::size_t n_lines = 0;  // read, blank ones included; with a problem, those before it
  std::string problem;

 private:
  bool add_word(const char* begin, const char* end) {
    if (begin == end || std::memchr(begin, '\0', static_cast<std::size_t>(end - begin))) {
      return false;
    }
    words.append(begin, end);
    ends.push_back(static_cast<std::int64_t>(words.size()));
    return true;
  }

  bool read_line(const char* begin, const char* end, float* row) {
    const char* const word_end = token_end(begin, end);
    return read_numbers(word_end, end, row) && add_word(begin, word_end);
  }

  bool read_numbers(const char* at, const char* end, float* row) const {
    for (std::size_t d = 0; d < dim_; ++d) {
      at = skip_space(at, end);
      at = read_number(at, end, row[d]);
      if (at == nullptr) return false;
    }
    return skip_space(at, end) == end;
  }

  // Reads a line whose word has spaces in it; else tells what is wrong with the line.
  std::string explain(const char* begin, const char* end, float* row) {
    if (is_space(*begin)) return "it has no word before its numbers";
    std::vector<std::string_view> tokens;
    for (const char* at = begin; at < end;) {
      const char* const stop = token_end(at, end);
      tokens.emplace_back(at, static_cast<std::size_t>(stop - at));
      at = skip_space(stop, end);
    }
    float ignored = 0;
    const auto is_number = [&](std::string_view token) {
      const char* const stop = token.data() + token.size();
      return read_number(token.data(), stop, ignored) == stop;
    };
    const std::string counts =
        std::to_string(tokens.size() - 1) + " numbers follow the word, not " + std::to_string(dim_);
    if (tokens.size() < dim_ + 1) return counts;
    const auto numbers = tokens.end() - static_cast<std::ptrdiff_t>(dim_);
    if (std::any_of(tokens.begin() + 1, numbers, is_number)) return counts;
    const auto bad = std::find_if_not(numbers, tokens.end(), is_number);
    if (bad != tokens.end()) return quoted(*bad) + " is not a finite number";
    const std::string_view last = *(numbers - 1);
    const char* const word_end = last.data() + last.size();
    if (!read_numbers(word_end, end, row) || !add_word(begin, word_end)) {
      return "its word has a NUL byte in it";
    }
    return {};
  }

  std::size_t dim_;
};

std::size_t count_rows(std::string_view text) {
  std::size_t n_rows = 0;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    const char* stop =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    n_rows += skip_space(at, stop) != stop;
    at = stop + 1;
  }
  return n_rows;
}

std::vector<std::string_view> split_at_lines(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t stop = text.find('\n', std::min(kBytesPerPart, text.size() - 1));
    parts.push_back(text.substr(0, stop + 1));
    text.remove_prefix(stop + 1);
  }
  return parts;
}

}  // namespace

VectorLines parse_vector_lines(std::string_view text, std::size_t dim) {
  VectorLines result;
  const std::size_t last = text.rfind('\n');
  if (last == std::string_view::npos) return result;
  result.consumed = last + 1;
  const std::vector<std::string_view> parts = split_at_lines(text.substr(0, last + 1));
  std::vector<std::size_t> first_rows(parts.size() + 1);
  parallel_for(parts.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) first_rows[i + 1] = count_rows(parts[i]);
  });
  for (std::size_t i = 0; i < parts.size(); ++i) first_rows[i + 1] += first_rows[i];
  result.n_rows = first_rows.back();
  result.rows = std::make_unique_for_overwrite<float[]>(result.n_rows * dim);
  std::vector<LineReader> readers(parts.size(), LineReader(dim));
  parallel_for(parts.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      readers[i].read(parts[i], result.rows.get() + first_rows[i] * dim);
    }
  });
  for (const LineReader& reader : readers) {
    result.n_lines += reader.n_lines;
    if (!reader.problem.empty()) {
      result.problem = reader.problem;
      result.n_rows = result.ends.size();
      return result;
    }
    const auto shift = static_cast<std::int64_t>(result.words.size());
    for (const std::int64_t word_end : reader.ends) result.ends.push_back(word_end + shift);
    result.words += reader.words;
  }
  return result;
}

VectorRecords parse_vector_records(std::string_view data, std::size_t dim, std::size_t max_words) {
  constexpr std::size_t kMaxWord = 1 << 20;
  VectorRecords result;
  const std::size_t n_bytes = dim * sizeof(float);
  while (result.ends.size() < max_words) {
    const std::size_t begin = data.find_first_not_of('\n', result.consumed);
    if (begin == std::string_view::npos) break;
    const std::size_t end =
        data.substr(0, std::min(data.size(), begin + kMaxWord)).find(' ', begin);
    if (end == std::string_view::npos && data.size() - begin < kMaxWord) break;
    const std::string_view word = data.substr(begin, end == data.npos ? 0 : end - begin);
    if (word.empty() || word.find('\0') != word.npos || word.find('\n') != word.npos) {
      result.problem = "no word ends where one should";
      break;
    }
    if (data.size() - end - 1 < n_bytes) break;
    const std::size_t first = result.rows.size();
    result.rows.resize(first + dim);
    std::memcpy(result.rows.data() + first, data.data() + end + 1, n_bytes);
    if (!std::all_of(result.rows.begin() + static_cast<std::ptrdiff_t>(first), result.rows.end(),
                     [](float value) { return std::isfinite(value); })) {
      result.problem = "a number of " + quoted(word) + " is not finite";
      result.rows.resize(first);
      break;
    }
    result.words += word;
    result.ends.push_back(static_cast<std::int64_t>(result.words.size()));
    result.consumed = end + 1 + n_bytes;
  }
  return result;
}

}  // namespace brasa
