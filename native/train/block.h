// One block of the text after subsampling: the words that remain and their contexts.
#pragma once

#include <cstdint>
#include <vector>

#include "train/problem.h"

namespace brasa {

struct Block {
  std::vector<int32_t> words;
  // Positions of the contexts of word i: context_begin[i] .. context_end[i] - 1, itself left out.
  std::vector<int32_t> context_begin;
  std::vector<int32_t> context_end;

  int32_t n_contexts(size_t i) const { return context_end[i] - context_begin[i] - 1; }
};

// Draws which tokens of block `index` (of the text) are kept, then each one's window. Windows end
// at line ends and at the block's ends.
//
// Each choice has a place of its own in the block's stream, so that a GPU can make all of them at
// once: number t decides on token t, number block_tokens + i is the window of kept word i, and
// those from 2 * block_tokens on are left for negatives.
void sample_block(const Problem& problem, uint64_t index, Random& random, Block& block);

}  // namespace brasa
