#include "train/classifier.h"

#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "simd/exponential.h"
#include "train/logistic.h"
#include "train/own_rows.h"
#include "train/step.h"

namespace brasa {
namespace {

// The loss is computed for one line in this many of a block.
constexpr size_t kLossInterval = 8;
// Lines between two exchanges of a thread's own output rows.
constexpr size_t kExchangeInterval = 16;
// Output rows of 16 KB are moved at a time.
constexpr size_t kCacheFloats = 4096;

// Replaces each of n scores by e^(score - the highest); gives the highest, and the sum. There is
// room for a multiple of kLanes scores.
std::pair<float, float> exponentials(float* scores, size_t n) {
  std::fill(scores + n, scores + round_up(n, kLanes), -std::numeric_limits<float>::max());
  std::array<float, kLanes> top, sum{};
  top.fill(-std::numeric_limits<float>::max());
  for (size_t k = 0; k < n; k += kLanes) {
    for (size_t i = 0; i < kLanes; ++i) top[i] = std::max(top[i], scores[k + i]);
  }
  const float highest = *std::max_element(top.begin(), top.end());
  for (size_t k = 0; k < n; k += kLanes) {
    for (size_t i = 0; i < kLanes; ++i) {
      scores[k + i] = exponential(scores[k + i] - highest);
      sum[i] += scores[k + i];
    }
  }
  return {highest, std::accumulate(sum.begin(), sum.end(), 0.0f)};
}

// One line at a time: the hidden vector h is the mean of the line's input rows; output row k scores
// s_k = h . o_k; the step of h, divided by the number of input rows, goes to each of them.
class ClassifierWorker {
 public:
  ClassifierWorker(const ClassifierProblem& problem, const Kernels& kernels, bool alone)
      : problem_(problem),
        kernels_(kernels),
        stride_(problem.input.stride()),
        n_labels_(problem.output.n_rows()),
        rows_at_once_(std::max<size_t>(4, kCacheFloats / stride_)),
        hidden_(stride_),
        step_(stride_),
        scores_(round_up(n_labels_, kLanes)),
        is_positive_(n_labels_) {
    const bool moves_all_rows =
        problem.loss == ClassifierLoss::kSoftmax || problem.loss == ClassifierLoss::kOneVsAll;
    if (moves_all_rows && !alone) own_output_.emplace(problem.output);
    for (size_t k = 0; k < n_labels_; ++k) {
      output_rows_.push_back(own_output_ ? own_output_->row(k)
                                         : problem.output.row(static_cast<int32_t>(k)));
    }
  }

  void operator()(uint64_t index, LossSum& loss) {
    const auto all_items = static_cast<double>(problem_.items_before_step(problem_.n_steps()));
    auto items = static_cast<double>(problem_.items_before_step(index));
    Random random(problem_.seed, index);
    const auto lines = problem_.lines_of_block(problem_.block_of_step(index));
    if (!lines.empty()) fetch(lines[0], rows_);
    for (size_t i = 0; i < lines.size(); ++i) {
      if (i + 3 < lines.size()) problem_.rows.ask_for_units(lines[i + 3]);
      if (i + 2 < lines.size()) problem_.rows.ask_for_unit_rows(lines[i + 2]);
      if (i + 1 < lines.size()) fetch(lines[i + 1], next_rows_);
      learning_rate_ = static_cast<float>(problem_.learning_rate * (1.0 - items / all_items));
      with_loss_ = i % kLossInterval == 0;
      const double line_loss = train_line(lines[i], random);
      if (with_loss_) {
        loss.loss += line_loss;
        loss.pairs += 1;
      }
      if (own_output_ && (i % kExchangeInterval == 0 || i + 1 == lines.size())) {
        own_output_->exchange();
      }
      items += static_cast<double>(problem_.rows.n_items(lines[i]));
      std::swap(rows_, next_rows_);
    }
  }

 private:
  // Lists the rows of a line, and asks for them: they arrive while the line before is trained.
  void fetch(int32_t line, LineRows& rows) {
    problem_.rows.list(line, rows);
    for (const int32_t row : rows) {
      const float* data = problem_.input.row(row);
      for (size_t d = 0; d < stride_; d += kRowAlign) __builtin_prefetch(data + d, 1, 2);
    }
  }

  double train_line(int32_t line, Random& random) {
    const float scale = 1.0f / static_cast<float>(rows_.size());
    kernels_.sum_rows(problem_.input.data(), stride_, rows_.data(), rows_.size(), scale,
                      hidden_.data());
    std::fill_n(step_.data(), stride_, 0.0f);
    const auto labels = problem_.labels_of(line);
    if (!problem_.line_weights.empty()) {
      learning_rate_ *= problem_.line_weights[static_cast<size_t>(line)];
    }
    double loss = 0;
    if (problem_.loss == ClassifierLoss::kOneVsAll) {
      loss = train_one_vs_all(labels);
    } else {
      // One of the line's labels at random, as in fastText.
      const int32_t target = labels.size() == 1
                                 ? labels[0]
                                 : labels[random.below(static_cast<uint32_t>(labels.size()))];
      learning_rate_ *= weight_of(target);
      loss = problem_.loss == ClassifierLoss::kSoftmax            ? train_softmax(target)
             : problem_.loss == ClassifierLoss::kNegativeSampling ? train_negatives(target, random)
                                                                  : train_path(target);
    }
    for (size_t d = 0; d < stride_; ++d) step_[d] *= scale;
    kernels_.add_to_rows(problem_.input.data(), stride_, rows_.data(), rows_.size(), step_.data());
    return loss;
  }

  // Loss: log sum_k exp(s_k) - s_target.
  double train_softmax(int32_t target) {
    score_all();
    float* scores = scores_.data();
    const float target_score = scores[target];
    const auto [highest, sum] = exponentials(scores, n_labels_);
    const float factor = -learning_rate_ / sum;
    for (size_t k = 0; k < n_labels_; ++k) scores[k] *= factor;
    scores[target] += learning_rate_;
    move_all();
    return static_cast<double>(highest) + std::log(static_cast<double>(sum)) - target_score;
  }

  // Loss: sum_k -log sigmoid(s_k) for the line's labels, -log sigmoid(-s_k) for all others.
  double train_one_vs_all(std::span<const int32_t> labels) {
    score_all();
    double loss = 0;
    for (const int32_t label : labels) is_positive_[static_cast<size_t>(label)] = true;
    if (with_loss_) {
      for (size_t k = 0; k < n_labels_; ++k) {
        loss += softplus_of_minus(is_positive_[k] ? scores_[k] : -scores_[k]);
      }
    }
    kernels_.logistic_gradient(scores_.data(), round_up(n_labels_, kLanes), 0.0f, learning_rate_);
    for (const int32_t label : labels) {
      const auto k = static_cast<size_t>(label);
      if (is_positive_[k]) scores_[k] = (scores_[k] + learning_rate_) * weight_of(label);
      is_positive_[k] = false;  // a label that a line has twice counts once
    }
    move_all();
    return loss;
  }

  double train_negatives(int32_t target, Random& random) {
    double loss = move(target, true);
    for (uint32_t s = 0; s < problem_.negative_samples; ++s) {
      const int32_t negative = draw_other_than(target, problem_.negatives, random);
      if (negative >= 0) loss += move(negative, false);
    }
    return loss;
  }

  double train_path(int32_t target) {
    const auto at = static_cast<size_t>(target);
    const auto end = static_cast<size_t>(problem_.paths.offsets[at + 1]);
    double loss = 0;
    for (auto k = static_cast<size_t>(problem_.paths.offsets[at]); k < end; ++k) {
      loss += move(problem_.paths.nodes[k], problem_.paths.branches[k] != 0);
    }
    return loss;
  }

  float weight_of(int32_t label) const {
    return problem_.label_weights.empty() ? 1.0f
                                          : problem_.label_weights[static_cast<size_t>(label)];
  }

  void score_all() {
    kernels_.dot_rows(hidden_.data(), output_rows_.data(), n_labels_, stride_, scores_.data());
  }

  // Moves the hidden vector and every output row by the gradients that stand in `scores_`.
  // A few rows at a time, so that each comes into the first-level cache once.
  void move_all() {
    const float* hidden = hidden_.data();
    for (size_t k = 0; k < n_labels_; k += rows_at_once_) {
      const size_t n = std::min(rows_at_once_, n_labels_ - k);
      float* const* rows = output_rows_.data() + k;
      kernels_.add_weighted_rows(step_.data(), rows, scores_.data() + k, n, stride_);
      kernels_.add_products(rows, n, scores_.data() + k, 1, 0, &hidden, 1, stride_);
    }
  }

  double move(int32_t row, bool label) {
    return move_logistic(kernels_, problem_.output.row(row), hidden_.data(), step_.data(), stride_,
                         label, learning_rate_, with_loss_);
  }

  const ClassifierProblem& problem_;
  const Kernels& kernels_;
  const size_t stride_;
  const size_t n_labels_;
  const size_t rows_at_once_;
  float learning_rate_ = 0;
  bool with_loss_ = false;
  LineRows rows_, next_rows_;  // of the line at hand and of the next one
  FloatBuffer hidden_;
  FloatBuffer step_;
  FloatBuffer scores_;
  std::optional<OwnRows> own_output_;  // with several threads, where steps move all rows
  std::vector<float*> output_rows_;
  std::vector<char> is_positive_;
};

}  // namespace

SpanResult train_classifier_span(const ClassifierProblem& problem, const Kernels& kernels,
                                 uint64_t first, uint64_t last, unsigned n_threads) {
  const bool alone = std::min<uint64_t>(n_threads, last - first) == 1;
  return run_span(first, last, n_threads,
                  [&] { return ClassifierWorker(problem, kernels, alone); });
}

}  // namespace brasa
