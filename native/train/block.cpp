#include "train/block.h"

#include <algorithm>

namespace brasa {

void sample_block(const Problem& problem, uint64_t index, Random& random, Block& block) {
  const size_t begin = index * problem.block_tokens;
  const size_t end = std::min(begin + problem.block_tokens, problem.tokens.size());
  block.words.clear();
  block.context_begin.clear();
  block.context_end.clear();
  Random windows = random.after(problem.block_tokens);

  const auto close_line = [&](size_t first) {
    const auto line_begin = static_cast<int32_t>(first);
    const auto line_end = static_cast<int32_t>(block.words.size());
    for (int32_t i = line_begin; i < line_end; ++i) {
      const auto reach = static_cast<int32_t>(windows.below(problem.window_size)) + 1;
      block.context_begin.push_back(std::max(line_begin, i - reach));
      block.context_end.push_back(std::min(line_end, i + reach + 1));
    }
  };

  size_t line = 0;
  for (size_t t = begin; t < end; ++t) {
    const int32_t word = problem.tokens[t];
    const uint32_t keep = problem.keep[static_cast<size_t>(word)];
    if (keep == UINT32_MAX || static_cast<uint32_t>(random.at(t - begin) >> 32) < keep) {
      block.words.push_back(word);
    }
    if (word == problem.line_end) {
      close_line(line);
      line = block.words.size();
    }
  }
  close_line(line);
  random = random.after(2 * uint64_t{problem.block_tokens});
}

}  // namespace brasa
