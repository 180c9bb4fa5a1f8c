#include "train/setup.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "parallel/pieces.h"
#include "train/random.h"

namespace brasa {

AliasTable build_alias_table(std::span<const double> weights) {
  const size_t n = weights.size();
  double total = 0;
  for (const double weight : weights) total += weight;
  std::vector<double> scaled(n);
  std::vector<size_t> small, large;
  for (size_t i = 0; i < n; ++i) {
    scaled[i] = weights[i] * static_cast<double>(n) / total;
    (scaled[i] < 1 ? small : large).push_back(i);
  }
  AliasTable table{std::vector<uint32_t>(n, UINT32_MAX), std::vector<int32_t>(n)};
  for (size_t i = 0; i < n; ++i) table.alias[i] = static_cast<int32_t>(i);
  while (!small.empty() && !large.empty()) {
    const size_t s = small.back(), l = large.back();
    small.pop_back();
    table.accept[s] = static_cast<uint32_t>(std::min(scaled[s] * 0x1p32, 0x1p32 - 1));
    table.alias[s] = static_cast<int32_t>(l);
    scaled[l] -= 1 - scaled[s];
    if (scaled[l] < 1) {
      large.pop_back();
      small.push_back(l);
    }
  }
  return table;
}

HuffmanCode build_huffman_code(std::span<const int64_t> counts) {
  const auto n = static_cast<int32_t>(counts.size());
  const auto n_nodes = static_cast<size_t>(2 * n - 1);
  std::vector<int64_t> count(n_nodes, static_cast<int64_t>(1e15));
  std::vector<int32_t> parent(n_nodes, -1);
  std::vector<uint8_t> branch(n_nodes, 0);
  std::copy(counts.begin(), counts.end(), count.begin());
  // Leaves are taken from the rarest on, inner nodes in the order of their making: both are sorted.
  int32_t leaf = n - 1, inner = n;
  const auto take_smallest = [&] {
    return leaf >= 0 && count[static_cast<size_t>(leaf)] < count[static_cast<size_t>(inner)]
               ? leaf--
               : inner++;
  };
  for (int32_t node = n; node < 2 * n - 1; ++node) {
    const auto left = static_cast<size_t>(take_smallest());
    const auto right = static_cast<size_t>(take_smallest());
    count[static_cast<size_t>(node)] = count[left] + count[right];
    parent[left] = parent[right] = node;
    branch[right] = 1;
  }
  HuffmanCode code;
  code.offsets.push_back(0);
  for (int32_t word = 0; word < n; ++word) {
    for (auto at = static_cast<size_t>(word); parent[at] != -1;
         at = static_cast<size_t>(parent[at])) {
      code.nodes.push_back(parent[at] - n);
      code.branches.push_back(branch[at]);
    }
    code.offsets.push_back(static_cast<int64_t>(code.nodes.size()));
  }
  return code;
}

std::vector<int32_t> permutation(size_t n, uint64_t seed, uint64_t stream) {
  std::vector<int32_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, stream);
  for (size_t left = n; left > 1; --left) {
    std::swap(order[left - 1], order[random.below(static_cast<uint32_t>(left))]);
  }
  return order;
}

void fill_uniform(float* data, size_t n_rows, size_t dim, size_t stride, float bound, uint64_t seed,
                  unsigned n_threads) {
  const auto fill_piece = [=](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      Random random(seed, r);
      float* row = data + r * stride;
      for (size_t d = 0; d < dim; ++d) {
        const auto bits = static_cast<float>(random.next() >> 40);  // 24 bits: exact in float
        row[d] = bound * (bits * 0x1p-23f - 1.0f);
      }
      std::fill(row + dim, row + stride, 0.0f);
    }
  };
  for_each_piece(n_rows, static_cast<int>(n_threads), fill_piece);
}

}  // namespace brasa
