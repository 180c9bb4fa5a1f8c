// The Huffman tree of a hierarchical softmax over labels. No file holds it: fastText builds it anew
// from the labels' counts in their order, and so must whoever reads its rows.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "predict/best_labels.h"

namespace brasa {

using LabelTree = std::vector<std::pair<int32_t, int32_t>>;

// Leaves are the labels 0 .. n - 1. Inner node n + i has the i-th pair of children of the result,
// the lighter one first; the last pair is the root's. A leaf is taken only when it is lighter than
// the oldest free inner node, leaves from the last label on.
LabelTree build_label_tree(std::span<const int64_t> counts);

// Offers the labels to `best`, the likelier child of a node first, leaving out what cannot reach
// it. score(i) is that of inner node i's second child; epsilon is added to each factor of a
// probability. The stack is the caller's buffer: a tree of labels that never occurred is as deep as
// it has labels.
template <typename Score>
void find_best_labels(const LabelTree& tree, double epsilon, const Score& score,
                      std::vector<Prediction>& stack, BestLabels& best) {
  const auto n = static_cast<int32_t>(tree.size()) + 1;
  stack.assign(1, {1.0, 2 * n - 2});  // the root; with one label, that one
  while (!stack.empty()) {
    const auto [probability, node] = stack.back();
    stack.pop_back();
    if (!(probability >= best.bound())) continue;
    if (node < n) {
      best.offer(probability, node);
      continue;
    }
    const auto inner = static_cast<size_t>(node - n);
    const float right = 1.0F / (1.0F + std::exp(-score(inner)));
    const auto [first, second] = tree[inner];
    const Prediction left_child{probability * (1.0 - right + epsilon), first};
    const Prediction right_child{probability * (right + epsilon), second};
    const bool right_is_better = right > 0.5F;
    stack.push_back(right_is_better ? left_child : right_child);
    stack.push_back(right_is_better ? right_child : left_child);
  }
}

}  // namespace brasa
