// Every pair on its own, in the order and with the updates of fastText: the hidden vector is
// computed anew for each pair, output rows move at once, and the input rows follow before the next
// pair. Used for exact negatives and for hierarchical softmax.
#include "train/logistic.h"
#include "train/step.h"

namespace brasa {
namespace {

class Pairwise : public Step {
 public:
  Pairwise(const Problem& problem, const Kernels& kernels)
      : problem_(problem),
        kernels_(kernels),
        stride_(problem.input.stride()),
        hidden_(stride_),
        step_(stride_) {}

  size_t tile_size() const override { return 1; }

  void prepare(const Block&, size_t begin, size_t end, Random& random) override {
    // Negatives are drawn while training; the stream is the block's.
    if (begin != end) random_ = &random;
  }

  void train(const Block& block, size_t begin, size_t end, float learning_rate,
             LossSum* loss) override {
    for (size_t i = begin; i < end; ++i) {
      const auto centre = static_cast<int32_t>(i);
      if (problem_.mode == Mode::kCbow) {
        context_rows_.clear();
        for (int32_t j = block.context_begin[i]; j < block.context_end[i]; ++j) {
          if (j == centre) continue;
          const auto rows = problem_.rows_of(block.words[static_cast<size_t>(j)]);
          context_rows_.insert(context_rows_.end(), rows.begin(), rows.end());
        }
        if (!context_rows_.empty()) train_pair(context_rows_, block.words[i], learning_rate, loss);
        continue;
      }
      for (int32_t j = block.context_begin[i]; j < block.context_end[i]; ++j) {
        if (j == centre) continue;
        train_pair(problem_.rows_of(block.words[i]), block.words[static_cast<size_t>(j)],
                   learning_rate, loss);
      }
    }
  }

 private:
  void train_pair(std::span<const int32_t> rows, int32_t target, float learning_rate,
                  LossSum* loss) {
    kernels_.sum_rows(problem_.input.data(), stride_, rows.data(), rows.size(),
                      1.0f / static_cast<float>(rows.size()), hidden_.data());
    std::fill_n(step_.data(), stride_, 0.0f);
    const bool with_loss = loss != nullptr;
    double pair_loss = 0;
    if (problem_.loss == Loss::kHierarchicalSoftmax) {
      const auto at = static_cast<size_t>(target);
      const auto end = static_cast<size_t>(problem_.paths.offsets[at + 1]);
      for (auto k = static_cast<size_t>(problem_.paths.offsets[at]); k < end; ++k) {
        pair_loss += move_output(problem_.paths.nodes[k], problem_.paths.branches[k] != 0,
                                 learning_rate, with_loss);
      }
    } else {
      pair_loss += move_output(target, true, learning_rate, with_loss);
      for (uint32_t s = 0; s < problem_.negative_samples; ++s) {
        const int32_t negative = draw_other_than(target, problem_.negatives, *random_);
        if (negative < 0) continue;
        pair_loss += move_output(negative, false, learning_rate, with_loss);
      }
    }
    kernels_.add_to_rows(problem_.input.data(), stride_, rows.data(), rows.size(), step_.data());
    if (with_loss) {
      loss->loss += pair_loss;
      loss->pairs += 1;
    }
  }

  double move_output(int32_t row, bool label, float learning_rate, bool with_loss) {
    return move_logistic(kernels_, problem_.output.row(row), hidden_.data(), step_.data(), stride_,
                         label, learning_rate, with_loss);
  }

  const Problem& problem_;
  const Kernels& kernels_;
  const size_t stride_;
  FloatBuffer hidden_;
  FloatBuffer step_;
  std::vector<int32_t> context_rows_;
  Random* random_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_pairwise(const Problem& problem, const Kernels& kernels) {
  return std::make_unique<Pairwise>(problem, kernels);
}

}  // namespace brasa
