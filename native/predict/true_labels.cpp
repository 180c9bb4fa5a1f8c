#include "predict/true_labels.h"

#include <array>

#include "text/line_end.h"
#include "text/tokenizer.h"

namespace brasa {
namespace {

// Takes the first token off a line; empty at the line's end. As fastText separates the tokens of a
// line that is to be labeled: at NUL bytes, too.
std::string_view take_token(std::string_view& line) {
  const auto separates = [](char c) { return is_white_space(c) || c == '\0'; };
  size_t begin = 0;
  while (begin < line.size() && separates(line[begin])) ++begin;
  size_t end = begin;
  while (end < line.size() && !separates(line[end])) ++end;
  const std::string_view token = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return token;
}

}  // namespace

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

TrueLabels find_labels(std::span<const std::string_view> lines, const WordIndex& index,
                       const WordsView& names, std::string_view prefix) {
  // A token is looked up only if a label begins with its first byte: few words do.
  std::array<bool, 256> begins_label{};
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) begins_label[static_cast<unsigned char>(names[i][0])] = true;
  }
  if (!prefix.empty()) begins_label[static_cast<unsigned char>(prefix[0])] = true;
  TrueLabels found;
  found.offsets.push_back(0);
  for (std::string_view line : lines) {
    while (true) {
      const std::string_view token = take_token(line);
      if (token.empty() || token == kLineEnd) break;
      if (!begins_label[static_cast<unsigned char>(token[0])]) continue;
      const int32_t label = index.find(token);
      if (label >= 0) {
        found.labels.push_back(label);
      } else if (!prefix.empty() && token.starts_with(prefix)) {
        ++found.n_unknown;
      }
    }
    found.offsets.push_back(static_cast<int64_t>(found.labels.size()));
  }
  return found;
}

}  // namespace brasa
