// Skip-gram with negatives shared by a tile of consecutive centre words.
//
// For centre i with hidden vector h_i (mean of its word's rows), context output rows c_j and
// negatives n_s, the loss is
//   sum_j -log sigmoid(h_i . c_j)  +  w_i sum_s -log sigmoid(-h_i . n_s),
//   w_i = (number of contexts of i) * negative_samples / shared_negatives.
// Everything is read as it was at the start of the tile; then each output row moves once per use,
// and each row of a centre's word moves by the whole step of h_i, as in fastText.
#include "train/tile.h"

namespace brasa {
namespace {

class SkipgramTile : public Step {
 public:
  SkipgramTile(const Problem& problem, const Kernels& kernels)
      : problem_(problem),
        kernels_(kernels),
        lanes_(round_up(problem.tile_size, kLanes)),
        stride_(problem.input.stride()),
        negatives_(problem, kernels, lanes_),
        hidden_(lanes_ * stride_),
        transposed_(lanes_ * stride_),
        step_(lanes_ * stride_),
        gradients_(round_up(2 * size_t{problem.window_size}, kLanes)) {
    for (size_t i = 0; i < lanes_; ++i) {
      hidden_rows_.push_back(hidden_.data() + i * stride_);
      step_rows_.push_back(step_.data() + i * stride_);
    }
    // What `train` does for each centre three times, and the pieces of the negatives.
    n_prefetch_calls_ = 3 * problem.tile_size + negatives_.n_prefetch_calls(problem.tile_size);
  }

  // The lanes walk through the block side by side, each in a stretch of its own: the centres of a tile
  // then share no context, so that a context's row is up to date for each of them.
  void place(size_t number, size_t n, std::vector<size_t>& tile) const override {
    const size_t n_tiles = (n + problem_.tile_size - 1) / problem_.tile_size;
    if (number >= n_tiles) return;
    for (size_t i = number; i < n; i += n_tiles) tile.push_back(i);
  }

  void prepare(const Block& block, std::span<const size_t> tile, Random& random) override {
    prefetcher_.clear();
    negatives_.take();
    if (tile.empty()) return;
    for (const size_t i : tile) {
      for (const int32_t row : problem_.rows_of(block.words[i])) {
        prefetcher_.push(problem_.input.row(row));
      }
      prefetcher_.push(problem_.output.row(block.words[i]));
    }
    negatives_.draw(random, prefetcher_);
    prefetcher_.spread(n_prefetch_calls_);
  }

  void train(const Block& block, std::span<const size_t> tile, float learning_rate,
             LossSum* loss) override {
    const size_t n = tile.size();
    for (size_t i = 0; i < n; ++i) {
      const auto rows = problem_.rows_of(block.words[tile[i]]);
      kernels_.sum_rows(problem_.input.data(), stride_, rows.data(), rows.size(),
                        1.0f / static_cast<float>(rows.size()), hidden_rows_[i]);
      prefetcher_.advance(stride_);
    }
    std::fill_n(step_.data(), n * stride_, 0.0f);
    for (size_t i = 0; i < n; ++i) {
      const size_t n_pairs = train_contexts(block, tile[i], i, learning_rate, loss);
      negatives_.set_pairs(i, n_pairs);
      prefetcher_.advance(stride_);
    }
    // Lanes without a centre score 0 with weight 0: their gradients vanish.
    std::fill_n(hidden_.data() + n * stride_, (lanes_ - n) * stride_, 0.0f);
    for (size_t i = n; i < lanes_; ++i) negatives_.set_pairs(i, 0);
    for (size_t lane = 0; lane < lanes_; lane += kLanes) {
      kernels_.transpose_tile(hidden_.data() + lane * stride_, stride_,
                              transposed_.data() + lane * stride_);
    }
    negatives_.score(transposed_.data(), prefetcher_);
    if (loss != nullptr) loss->loss += negatives_.loss(n);
    negatives_.add_hidden_steps(learning_rate, std::span(step_rows_).first(n), prefetcher_);
    negatives_.update_rows(std::span<const float* const>(hidden_rows_.data(), n), prefetcher_);
    for (size_t i = 0; i < n; ++i) {
      const auto rows = problem_.rows_of(block.words[tile[i]]);
      kernels_.add_to_rows(problem_.input.data(), stride_, rows.data(), rows.size(), step_rows_[i]);
      prefetcher_.advance(stride_);
    }
  }

 private:
  // Trains the positive pairs of the centre at `position`, which is in lane i, and moves its hidden
  // vector at once. Returns how many pairs there are.
  size_t train_contexts(const Block& block, size_t position, size_t i, float learning_rate,
                        LossSum* loss) {
    pair_rows_.clear();
    for (int32_t j = block.context_begin[position]; j < block.context_end[position]; ++j) {
      const auto context = static_cast<size_t>(j);
      if (context != position) pair_rows_.push_back(problem_.output.row(block.words[context]));
    }
    const size_t n = pair_rows_.size();
    kernels_.dot_rows(hidden_rows_[i], pair_rows_.data(), n, stride_, gradients_.data());
    if (loss != nullptr) {
      for (size_t k = 0; k < n; ++k) loss->loss += softplus_of_minus(gradients_[k]);
      loss->pairs += static_cast<double>(n);
    }
    kernels_.logistic_gradient(gradients_.data(), round_up(n, kLanes), 1.0f, learning_rate);
    kernels_.add_weighted_rows(step_rows_[i], pair_rows_.data(), gradients_.data(), n, stride_);
    const float* hidden = hidden_rows_[i];
    for (size_t k = 0; k < n; ++k) {
      kernels_.add_weighted_rows(pair_rows_[k], &hidden, &gradients_[k], 1, stride_);
    }
    const float one = 1.0f;
    const float* step = step_rows_[i];
    kernels_.add_weighted_rows(hidden_rows_[i], &step, &one, 1, stride_);
    return n;
  }

  const Problem& problem_;
  const Kernels& kernels_;
  const size_t lanes_;
  const size_t stride_;
  SharedNegatives negatives_;
  Prefetcher prefetcher_;
  size_t n_prefetch_calls_;
  FloatBuffer hidden_;      // [lane][dim]
  FloatBuffer transposed_;  // [lane / kLanes][dim][kLanes]
  FloatBuffer step_;        // [lane][dim]
  FloatBuffer gradients_;   // of one centre's pairs
  std::vector<float*> step_rows_;
  std::vector<float*> hidden_rows_;
  std::vector<float*> pair_rows_;
};

}  // namespace

std::unique_ptr<Step> make_skipgram_tile(const Problem& problem, const Kernels& kernels) {
  return std::make_unique<SkipgramTile>(problem, kernels);
}

}  // namespace brasa
