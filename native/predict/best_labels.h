// The k best labels of one text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace brasa {

struct Prediction {
  double probability;
  int32_t label;
};

// A heap with the worst of the best on top, built as fastText builds its own, so that labels of
// equal probability (usual with its table of sigmoids) come in the same order.
class BestLabels {
 public:
  // Labels below `threshold` are left out.
  BestLabels(size_t k, double threshold) : k_(k), threshold_(threshold) {}

  void reset() { heap_.clear(); }
  void reset(size_t k, double threshold) {
    k_ = k;
    threshold_ = threshold;
    heap_.clear();
  }
  // What a label must reach to be taken.
  double bound() const {
    if (heap_.size() < k_ || heap_.empty()) return threshold_;  // empty: of no labels
    return std::max(threshold_, heap_.front().probability);
  }
  // NaN is never taken.
  void offer(double probability, int32_t label) {
    if (!(probability >= bound())) return;
    heap_.push_back({probability, label});
    std::push_heap(heap_.begin(), heap_.end(), better);
    if (heap_.size() > k_) {
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.pop_back();
    }
  }
  // Best first; the heap is then no heap until `reset`.
  const std::vector<Prediction>& sorted() {
    std::sort_heap(heap_.begin(), heap_.end(), better);
    return heap_;
  }

 private:
  static bool better(const Prediction& a, const Prediction& b) {
    return a.probability > b.probability;
  }

  size_t k_;
  double threshold_;
  std::vector<Prediction> heap_;
};

}  // namespace brasa
