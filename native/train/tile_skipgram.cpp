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
        step_(lanes_ * stride_),
        gradients_(round_up(2 * size_t{problem.window_size} * lanes_, kLanes)),
        pair_begin_(lanes_ + 1),
        coefficients_(lanes_) {
    for (size_t i = 0; i < lanes_; ++i) {
      hidden_rows_.push_back(hidden_.data() + i * stride_);
      step_rows_.push_back(step_.data() + i * stride_);
    }
    sources_.resize(lanes_);
    // What `train` does for each centre three times, and the pieces of the negatives.
    n_prefetch_calls_ = 3 * problem.tile_size + negatives_.n_prefetch_calls(problem.tile_size);
  }

  size_t tile_size() const override { return problem_.tile_size; }

  void prepare(const Block& block, size_t begin, size_t end, Random& random) override {
    prefetcher_.clear();
    negatives_.take();
    if (begin == end) return;
    for (size_t i = begin; i < end; ++i) {
      for (const int32_t row : problem_.rows_of(block.words[i])) {
        prefetcher_.push(problem_.input.row(row));
      }
      prefetcher_.push(problem_.output.row(block.words[i]));
    }
    negatives_.draw(random, prefetcher_);
    prefetcher_.spread(n_prefetch_calls_);
  }

  void train(const Block& block, size_t begin, size_t end, float learning_rate,
             LossSum* loss) override {
    const size_t n = end - begin;
    compute_hidden(block, begin, n);
    score_contexts(block, begin, n);
    negatives_.score(hidden_.data(), prefetcher_);
    const size_t n_pairs = pair_begin_[n];
    if (loss != nullptr) {
      for (size_t k = 0; k < n_pairs; ++k) loss->loss += softplus_of_minus(gradients_[k]);
      loss->loss += negatives_.loss(n);
      loss->pairs += static_cast<double>(n_pairs);
    }
    kernels_.logistic_gradient(gradients_.data(), round_up(n_pairs, kLanes), 1.0f, learning_rate);

    std::fill_n(step_.data(), n * stride_, 0.0f);
    negatives_.add_hidden_steps(learning_rate, std::span(step_rows_).first(n), prefetcher_);
    for (size_t i = 0; i < n; ++i) {
      kernels_.add_weighted_rows(step_rows_[i], pair_rows_.data() + pair_begin_[i],
                                 gradients_.data() + pair_begin_[i],
                                 pair_begin_[i + 1] - pair_begin_[i], stride_);
    }
    update_contexts(block, begin, n);
    negatives_.update_rows(std::span(hidden_rows_).first(n), prefetcher_);
    for (size_t i = 0; i < n; ++i) {
      const auto rows = problem_.rows_of(block.words[begin + i]);
      kernels_.add_to_rows(problem_.input.data(), stride_, rows.data(), rows.size(), step_rows_[i]);
      prefetcher_.advance(stride_);
    }
  }

 private:
  void compute_hidden(const Block& block, size_t begin, size_t n) {
    for (size_t i = 0; i < n; ++i) {
      const auto rows = problem_.rows_of(block.words[begin + i]);
      kernels_.sum_rows(problem_.input.data(), stride_, rows.data(), rows.size(),
                        1.0f / static_cast<float>(rows.size()), hidden_.data() + i * stride_);
      prefetcher_.advance(stride_);
    }
    // Lanes without a centre score 0 with weight 0: their gradients vanish.
    std::fill_n(hidden_.data() + n * stride_, (lanes_ - n) * stride_, 0.0f);
  }

  // Lists the pairs of each centre and leaves their scores in `gradients_`.
  void score_contexts(const Block& block, size_t begin, size_t n) {
    pair_rows_.clear();
    pair_begin_[0] = 0;
    for (size_t i = 0; i < n; ++i) {
      const auto centre = static_cast<int32_t>(begin + i);
      for (int32_t j = block.context_begin[begin + i]; j < block.context_end[begin + i]; ++j) {
        if (j != centre)
          pair_rows_.push_back(problem_.output.row(block.words[static_cast<size_t>(j)]));
      }
      pair_begin_[i + 1] = pair_rows_.size();
      const size_t n_pairs = pair_begin_[i + 1] - pair_begin_[i];
      kernels_.dot_rows(hidden_rows_[i], pair_rows_.data() + pair_begin_[i], n_pairs, stride_,
                        gradients_.data() + pair_begin_[i]);
      negatives_.set_pairs(i, n_pairs);
      prefetcher_.advance(stride_);
    }
    for (size_t i = n; i < lanes_; ++i) negatives_.set_pairs(i, 0);
  }

  // Moves the output row at each context position by what all its centres in the tile ask for.
  void update_contexts(const Block& block, size_t begin, size_t n) {
    const size_t last = begin + n - 1;
    int32_t first_position = block.context_begin[begin], end_position = block.context_end[last];
    for (size_t i = begin; i <= last; ++i) {
      first_position = std::min(first_position, block.context_begin[i]);
      end_position = std::max(end_position, block.context_end[i]);
    }
    const auto reach = static_cast<int32_t>(problem_.window_size);
    const auto tile_begin = static_cast<int32_t>(begin),
               tile_end = tile_begin + static_cast<int32_t>(n);
    for (int32_t j = first_position; j < end_position; ++j) {
      size_t count = 0;
      const int32_t stop = std::min(tile_end, j + reach + 1);
      for (int32_t c = std::max(tile_begin, j - reach); c < stop; ++c) {
        const auto centre = static_cast<size_t>(c);
        if (c == j || j < block.context_begin[centre] || j >= block.context_end[centre]) continue;
        const size_t i = centre - begin;
        const auto pair = static_cast<size_t>(j - block.context_begin[centre] - (j > c ? 1 : 0));
        sources_[count] = hidden_rows_[i];
        coefficients_[count++] = gradients_[pair_begin_[i] + pair];
      }
      if (count > 0) {
        kernels_.add_weighted_rows(problem_.output.row(block.words[static_cast<size_t>(j)]),
                                   sources_.data(), coefficients_.data(), count, stride_);
      }
    }
  }

  const Problem& problem_;
  const Kernels& kernels_;
  const size_t lanes_;
  const size_t stride_;
  SharedNegatives negatives_;
  Prefetcher prefetcher_;
  size_t n_prefetch_calls_;
  FloatBuffer hidden_;     // [lane][dim]
  FloatBuffer step_;       // [lane][dim]
  FloatBuffer gradients_;  // of the pairs, centre by centre
  std::vector<float*> step_rows_;
  std::vector<const float*> hidden_rows_;
  std::vector<const float*> pair_rows_;
  std::vector<size_t> pair_begin_;
  std::vector<const float*> sources_;
  FloatBuffer coefficients_;
};

}  // namespace

std::unique_ptr<Step> make_skipgram_tile(const Problem& problem, const Kernels& kernels) {
  return std::make_unique<SkipgramTile>(problem, kernels);
}

}  // namespace brasa
