// The Huffman tree of a hierarchical softmax over labels. No file holds it: fastText builds it anew
// from the labels' counts in their order, and so must whoever reads its rows.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace brasa {

// Leaves are the labels 0 .. n - 1. Inner node n + i has the i-th pair of children of the result,
// the lighter one first; the last pair is the root's. A leaf is taken only when it is lighter than
// the oldest free inner node, leaves from the last label on.
std::vector<std::pair<int32_t, int32_t>> build_label_tree(std::span<const int64_t> counts);

}  // namespace brasa
