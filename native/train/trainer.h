// Trains a span of blocks with several threads.
#pragma once

#include "train/problem.h"
#include "train/span.h"

namespace brasa {

// Trains blocks first .. last - 1 of all epochs (block b is problem.block_of(b) of the text). The
// learning rate falls linearly with the position in all epochs. With one thread, the result depends
// on nothing but the problem; how blocks are divided into spans does not matter.
SpanResult train_span(const Problem& problem, const Kernels& kernels, uint64_t first, uint64_t last,
                      unsigned n_threads);

}  // namespace brasa
