// One output row as a logistic regression: the step that negatives, exact ones, and the inner nodes
// of a Huffman tree share.
#pragma once

#include <cmath>

#include "train/step.h"

namespace brasa {

// Moves `row` by what `label` asks for, and adds to `step` what it moves the hidden vector by.
// Returns the loss, or 0 if it is not asked for: its logarithm takes longer than a short row's
// move.
inline double move_logistic(const Kernels& kernels, float* row, const float* hidden, float* step,
                            size_t stride, bool label, float learning_rate, bool with_loss) {
  const float* source = row;
  float score = 0;
  kernels.dot_rows(hidden, &source, 1, stride, &score);
  const float probability = 1.0f / (1.0f + std::exp(-score));
  const float gradient = learning_rate * ((label ? 1.0f : 0.0f) - probability);
  kernels.add_weighted_rows(step, &source, &gradient, 1, stride);
  kernels.add_weighted_rows(row, &hidden, &gradient, 1, stride);
  return with_loss ? softplus_of_minus(label ? score : -score) : 0.0;
}

// A negative that is not the target. Where nearly all the probability is the target's, redrawing
// could go on for long (fastText hangs with one label): after 64 draws there is none, -1.
inline int32_t draw_other_than(int32_t target, const NegativeTable& negatives, Random& random) {
  for (int attempt = 0; attempt < 64; ++attempt) {
    const int32_t drawn = negatives.draw(random);
    if (drawn != target) return drawn;
  }
  return -1;
}

}  // namespace brasa
