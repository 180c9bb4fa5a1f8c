#include "predict/label_tree.h"

#include <algorithm>

namespace brasa {

LabelTree build_label_tree(std::span<const int64_t> counts) {
  LabelTree children;
  if (counts.size() < 2) return children;
  const size_t n = counts.size();
  std::vector<double> weights(counts.begin(), counts.end());  // sums of counts may pass 2^63
  weights.reserve(2 * n - 1);
  children.reserve(n - 1);
  auto leaf = static_cast<int64_t>(n) - 1;
  size_t inner = n;  // the oldest that has no parent
  const auto lightest = [&] {
    const bool takes_leaf = leaf >= 0 && (inner >= weights.size() ||
                                          weights[static_cast<size_t>(leaf)] < weights[inner]);
    return static_cast<int32_t>(takes_leaf ? leaf-- : static_cast<int64_t>(inner++));
  };
  while (children.size() < n - 1) {
    const int32_t left = lightest();
    const int32_t right = lightest();
    children.emplace_back(left, right);
    weights.push_back(weights[static_cast<size_t>(left)] + weights[static_cast<size_t>(right)]);
  }
  return children;
}

}  // namespace brasa
