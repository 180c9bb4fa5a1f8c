// Text classification: a linear model on the mean of a line's input rows, as in fastText
// (Joulin, Grave, Bojanowski, Mikolov 2017).
#pragma once

#include <vector>

#include "text/example_rows.h"
#include "train/problem.h"
#include "train/span.h"

namespace brasa {

enum class ClassifierLoss { kSoftmax, kHierarchicalSoftmax, kNegativeSampling, kOneVsAll };

// Views of arrays that the plan computed and the caller owns. `order` is cut into blocks of lines;
// step i of the training is block `block_order[i]`; when all of these are done, they come again.
struct ClassifierProblem {
  ClassifierLoss loss;
  uint32_t negative_samples;
  float learning_rate;
  uint64_t seed;
  uint64_t n_epochs;

  const ExampleRows& rows;                 // of each line
  std::span<const int64_t> label_offsets;  // n_lines + 1
  std::span<const int32_t> labels;
  std::span<const float> line_weights;   // n_lines: what the steps of a line are multiplied by, or
  std::span<const float> label_weights;  // n_labels: those towards a label; empty: 1

  std::span<const int32_t> order;          // lines
  std::span<const int64_t> block_offsets;  // n_blocks + 1, into order
  std::span<const int32_t> block_order;    // of some epochs, at most of all
  std::span<const int64_t> step_items;     // as long and 1 more: items before each of these steps

  std::span<const int64_t> label_counts;  // n_labels, descending
  NegativeTable negatives;
  HuffmanPaths paths;
  HogwildMatrix input;
  HogwildMatrix output;  // a row for each label

  uint64_t n_blocks() const { return block_offsets.size() - 1; }
  uint64_t n_steps() const { return n_blocks() * n_epochs; }

  std::span<const int32_t> labels_of(int32_t line) const {
    return slice(label_offsets, labels, line);
  }
  int32_t block_of_step(uint64_t step) const { return block_order[step % block_order.size()]; }
  uint64_t items_before_step(uint64_t step) const {
    const uint64_t n = block_order.size();
    return static_cast<uint64_t>(step_items[n]) * (step / n) +
           static_cast<uint64_t>(step_items[step % n]);
  }
  std::span<const int32_t> lines_of_block(int32_t block) const {
    return slice(block_offsets, order, block);
  }

 private:
  static std::span<const int32_t> slice(std::span<const int64_t> offsets,
                                        std::span<const int32_t> values, int32_t at) {
    const auto i = static_cast<size_t>(at);
    return values.subspan(static_cast<size_t>(offsets[i]),
                          static_cast<size_t>(offsets[i + 1] - offsets[i]));
  }
};

// Trains steps first .. last - 1. The learning rate falls linearly with the items of all steps.
// With one thread, the result depends on nothing but the problem; how blocks are divided into spans
// does not matter.
SpanResult train_classifier_span(const ClassifierProblem& problem, const Kernels& kernels,
                                 uint64_t first, uint64_t last, unsigned n_threads);

// How many lines have a label of their own as the best one.
uint64_t count_right(const ClassifierProblem& problem, const Kernels& kernels, unsigned n_threads);

}  // namespace brasa
