#include "predict/true_labels.h"

#include <array>

#include "predict/line_tokens.h"
#include "text/line_end.h"

namespace brasa {

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
