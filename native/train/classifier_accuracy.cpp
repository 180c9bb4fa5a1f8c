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
  AccuracyWorker(const ClassifierProblem& problem, const Kernels& kernels, const LabelTree& tree)
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
    for (const int32_t line : problem_.lines_of_block(static_cast<int32_t>(block))) {
      problem_.rows.list(line, rows_);
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

  int32_t best_leaf() {
    const auto score = [&](size_t inner) {
      float result = 0;
      kernels_.dot_rows(hidden_.data(), &output_rows_[inner], 1, stride_, &result);
      return result;
    };
    best_.reset();
    find_best_labels(tree_, 0.0, score, stack_, best_);
    const auto& found = best_.sorted();
    return found.empty() ? -1 : found.front().label;  // empty: numbers that are not finite
  }

  const ClassifierProblem& problem_;
  const Kernels& kernels_;
  const LabelTree& tree_;
  const size_t stride_;
  LineRows rows_;
  FloatBuffer hidden_, scores_;
  std::vector<const float*> output_rows_;
  std::vector<Prediction> stack_;
  BestLabels best_{1, 0.0};
};

}  // namespace

uint64_t count_right(const ClassifierProblem& problem, const Kernels& kernels, unsigned n_threads) {
  LabelTree tree;
  if (problem.loss == ClassifierLoss::kHierarchicalSoftmax) {
    tree = build_label_tree(problem.label_counts);
  }
  const SpanResult result = run_span(0, problem.n_blocks(), n_threads,
                                     [&] { return AccuracyWorker(problem, kernels, tree); });
  return static_cast<uint64_t>(result.loss);
}

}  // namespace brasa
