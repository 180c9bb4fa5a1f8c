// How many of the lines that a classifier was trained on it gets right.
#include <algorithm>
#include <utility>

#include "predict/label_tree.h"
#include "train/classifier.h"
#include "train/step.h"

namespace brasa {
namespace {

class AccuracyWorker {
 public:
  AccuracyWorker(const ClassifierProblem& problem, const Kernels& kernels,
                 std::span<const std::pair<int32_t, int32_t>> tree)
      : problem_(problem),
        kernels_(kernels),
        tree_(tree),
        stride_(problem.input.stride()),
        hidden_(stride_),
        scores_(problem.output.n_rows()) {
    for (size_t k = 0; k < problem.output.n_rows(); ++k) {
      output_rows_.push_back(problem.output.row(static_cast<int32_t>(k)));
    }
  }

  // Counts right lines as a loss, and all lines as pairs.
  void operator()(uint64_t block, LossSum& count) {
    for (const int32_t line : problem_.lines_of_block(static_cast<size_t>(block))) {
      problem_.list_rows(line, rows_);
      kernels_.sum_rows(problem_.input.data(), stride_, rows_.data(), rows_.size(),
                        1.0f / static_cast<float>(rows_.size()), hidden_.data());
      const int32_t found = tree_.empty() ? best_score() : best_leaf();
      const auto labels = problem_.labels_of(line);
      count.loss += std::ranges::find(labels, found) != labels.end() ? 1 : 0;
      count.pairs += 1;
    }
  }

 private:
  int32_t best_score() {
    const size_t n = output_rows_.size();
    kernels_.dot_rows(hidden_.data(), output_rows_.data(), n, stride_, scores_.data());
    return static_cast<int32_t>(std::max_element(scores_.data(), scores_.data() + n) -
                                scores_.data());
  }

  // Down the tree, leaving out what is less probable than the best leaf so far.
  int32_t best_leaf() {
    const auto n = static_cast<int32_t>(output_rows_.size());
    std::pair<float, int32_t> best{-1.0f, -1};
    stack_.assign(1, {1.0f, n + static_cast<int32_t>(tree_.size()) - 1});
    while (!stack_.empty()) {
      const auto [probability, node] = stack_.back();
      stack_.pop_back();
      if (!(probability > best.first)) continue;
      if (node < n) {
        best = {probability, node};
        continue;
      }
      const auto inner = static_cast<size_t>(node - n);
      float score = 0;
      kernels_.dot_rows(hidden_.data(), &output_rows_[inner], 1, stride_, &score);
      const float right = 1.0f / (1.0f + std::exp(-score));
      stack_.push_back({probability * (1.0f - right), tree_[inner].first});
      stack_.push_back({probability * right, tree_[inner].second});
      if (right < 0.5f) std::swap(stack_[stack_.size() - 2], stack_.back());
    }
    return best.second;
  }

  const ClassifierProblem& problem_;
  const Kernels& kernels_;
  std::span<const std::pair<int32_t, int32_t>> tree_;
  const size_t stride_;
  std::vector<int32_t> rows_;
  FloatBuffer hidden_, scores_;
  std::vector<const float*> output_rows_;
  std::vector<std::pair<float, int32_t>> stack_;
};

}  // namespace

uint64_t count_right(const ClassifierProblem& problem, const Kernels& kernels, unsigned n_threads) {
  std::vector<std::pair<int32_t, int32_t>> tree;
  if (problem.loss == ClassifierLoss::kHierarchicalSoftmax) {
    tree = build_label_tree(problem.label_counts);
  }
  const SpanResult result = run_span(0, problem.n_blocks(), n_threads,
                                     [&] { return AccuracyWorker(problem, kernels, tree); });
  return static_cast<uint64_t>(result.loss);
}

}  // namespace brasa
