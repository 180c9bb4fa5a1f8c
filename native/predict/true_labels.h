// The labels that lines of text name themselves, to compare predictions with.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/word_index.h"

namespace brasa {

// Labels of line i are labels[offsets[i]] .. labels[offsets[i + 1]], those twice in it twice.
struct TrueLabels {
  std::vector<int64_t> offsets;
  std::vector<int32_t> labels;
  int64_t n_unknown = 0;  // tokens that begin as labels do, and are none of the model's
};

// Lines are divided by "\n"; what follows the last one is a line unless it is empty.
std::vector<std::string_view> split_lines(std::string_view text);

// `names` are the labels of `index`; `prefix` is what unknown ones begin with.
TrueLabels find_labels(std::span<const std::string_view> lines, const WordIndex& index,
                       const WordsView& names, std::string_view prefix);

}  // namespace brasa
