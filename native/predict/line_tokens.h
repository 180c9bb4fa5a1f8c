// The tokens of a line that is to be labeled, as fastText separates them: at NUL bytes, too.
#pragma once

#include <cstddef>
#include <string_view>

#include "text/tokenizer.h"

namespace brasa {

// Takes the first token off a line; empty at the line's end.
inline std::string_view take_token(std::string_view& line) {
  const auto separates = [](char c) { return is_white_space(c) || c == '\0'; };
  size_t begin = 0;
  while (begin < line.size() && separates(line[begin])) ++begin;
  size_t end = begin;
  while (end < line.size() && !separates(line[end])) ++end;
  const std::string_view token = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return token;
}

}  // namespace brasa
