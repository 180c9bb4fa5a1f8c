// Text classification: a linear model on the mean of a line's input rows, as in fastText
// (Joulin, Grave, Bojanowski, Mikolov 2017).
#pragma once

#include <vector>

#include "train/problem.h"
#include "train/span.h"

namespace brasa {

enum class ClassifierLoss { kSoftmax, kHierarchicalSoftmax, kNegativeSampling, kOneVsAll };

// Views of arrays that the plan computed and the caller owns. Lines are trained in the order
// `order`, which is cut into blocks.
struct ClassifierProblem {
  ClassifierLoss loss;
  uint32_t negative_samples;
  float learning_rate;
  uint64_t seed;
  uint64_t n_epochs;

  std::span<const int64_t> item_offsets;  // n_lines + 1
  std::span<const int32_t> items;  // rows; with `units`, a unit each, or ~row: see text/examples.h
  std::span<const int64_t> unit_offsets;  // empty: items are rows
  std::span<const int32_t> unit_rows;
  std::span<const int64_t> label_offsets;  // n_lines + 1
  std::span<const int32_t> labels;
  std::span<const float> line_weights;   // n_lines: what the steps of a line are multiplied by, or
  std::span<const float> label_weights;  // n_labels: those towards a label; empty: 1

  std::span<const int32_t> order;          // lines
  std::span<const int64_t> block_offsets;  // n_blocks + 1, into order
  std::span<const int64_t> block_items;    // n_blocks + 1: items before each block

  std::span<const int64_t> label_counts;  // n_labels, descending
  NegativeTable negatives;
  HuffmanPaths paths;
  HogwildMatrix input;
  HogwildMatrix output;  // a row for each label

  uint64_t n_blocks() const { return block_offsets.size() - 1; }

  std::span<const int32_t> items_of(int32_t line) const { return slice(item_offsets, items, line); }
  std::span<const int32_t> labels_of(int32_t line) const {
    return slice(label_offsets, labels, line);
  }
  std::span<const int32_t> rows_of_unit(int32_t unit) const {
    return slice(unit_offsets, unit_rows, unit);
  }
  std::span<const int32_t> lines_of_block(size_t block) const {
    return order.subspan(static_cast<size_t>(block_offsets[block]),
                         static_cast<size_t>(block_offsets[block + 1] - block_offsets[block]));
  }
  // The input rows of a line, one for each feature.
  void list_rows(int32_t line, std::vector<int32_t>& rows) const;
  // What `list_rows` will read, in two steps: the places of the units' rows, and then these. A unit
  // that is not in the cache would take two waits.
  void ask_for_units(int32_t line) const;
  void ask_for_unit_rows(int32_t line) const;

 private:
  static std::span<const int32_t> slice(std::span<const int64_t> offsets,
                                        std::span<const int32_t> values, int32_t at) {
    const auto i = static_cast<size_t>(at);
    return values.subspan(static_cast<size_t>(offsets[i]),
                          static_cast<size_t>(offsets[i + 1] - offsets[i]));
  }
};

// Trains blocks first .. last - 1 of all epochs. The learning rate falls linearly with the items of
// all epochs. With one thread, the result depends on nothing but the problem; how blocks are
// divided into spans does not matter.
SpanResult train_classifier_span(const ClassifierProblem& problem, const Kernels& kernels,
                                 uint64_t first, uint64_t last, unsigned n_threads);

// How many lines have a label of their own as the best one.
uint64_t count_right(const ClassifierProblem& problem, const Kernels& kernels, unsigned n_threads);

}  // namespace brasa
