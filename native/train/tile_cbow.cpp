// Continuous bag of words with negatives shared by a tile of consecutive centre words.
//
// The hidden vector of centre i is the mean over all input rows of all its context words, as in
// fastText: h_i = (sum of S_c) / (sum of n_c) over its contexts c, with S_c the sum and n_c the number
// of the rows of the word at position c. The loss is
//   -log sigmoid(h_i . o_i)  +  w sum_s -log sigmoid(-h_i . n_s),   w = negative_samples / shared_negatives,
// with o_i the output row of the centre. S_c is computed once for all centres that see position c,
// and the rows of the word at c move once, by the sum of those centres' steps.
#include "train/tile.h"

namespace brasa {
namespace {

class CbowTile : public Step {
 public:
  CbowTile(const Problem& problem, const Kernels& kernels)
      : problem_(problem),
        kernels_(kernels),
        lanes_(round_up(problem.tile_size, kLanes)),
        stride_(problem.input.stride()),
        n_positions_(problem.tile_size + 2 * size_t{problem.window_size}),
        negatives_(problem, kernels, lanes_),
        word_sums_(n_positions_ * stride_),
        hidden_(lanes_ * stride_),
        transposed_(lanes_ * stride_),
        step_(lanes_ * stride_),
        gradients_(lanes_),
        position_step_(stride_),
        ones_(std::max(n_positions_, lanes_)) {
    std::fill_n(ones_.data(), std::max(n_positions_, lanes_), 1.0f);
    for (size_t i = 0; i < lanes_; ++i) {
      hidden_rows_.push_back(hidden_.data() + i * stride_);
      step_rows_.push_back(step_.data() + i * stride_);
    }
    n_prefetch_calls_ = 2 * problem.tile_size + negatives_.n_prefetch_calls(problem.tile_size);
  }

  size_t tile_size() const override { return problem_.tile_size; }

  void prepare(const Block& block, size_t begin, size_t end, Random& random) override {
    prefetcher_.clear();
    negatives_.take();
    if (begin == end) return;
    // The positions left of the tile are contexts of the tile before it: they are in the cache.
    const size_t ahead = std::min(block.words.size(), end + problem_.window_size);
    for (size_t i = begin; i < ahead; ++i) {
      for (const int32_t row : problem_.rows_of(block.words[i])) {
        prefetcher_.push(problem_.input.row(row));
      }
    }
    for (size_t i = begin; i < end; ++i) prefetcher_.push(problem_.output.row(block.words[i]));
    negatives_.draw(random, prefetcher_);
    prefetcher_.spread(n_prefetch_calls_);
  }

  void train(const Block& block, size_t begin, size_t end, float learning_rate,
             LossSum* loss) override {
    const size_t n = end - begin;
    find_positions(block, begin, end);
    sum_words(block);
    compute_hidden(block, begin, n);
    for (size_t i = 0; i < n; ++i) {
      const float* target = problem_.output.row(block.words[begin + i]);
      kernels_.dot_rows(hidden_rows_[i], &target, 1, stride_, gradients_.data() + i);
    }
    negatives_.score(transposed_.data(), prefetcher_);
    if (loss != nullptr) {
      for (size_t i = 0; i < n; ++i) {
        if (block.n_contexts(begin + i) == 0) continue;
        loss->loss += softplus_of_minus(gradients_[i]);
        loss->pairs += 1;
      }
      loss->loss += negatives_.loss(n);
    }
    kernels_.logistic_gradient(gradients_.data(), lanes_, 1.0f, learning_rate);
    std::fill_n(step_.data(), n * stride_, 0.0f);
    negatives_.add_hidden_steps(learning_rate, std::span(step_rows_).first(n), prefetcher_);
    for (size_t i = 0; i < n; ++i) {
      if (block.n_contexts(begin + i) == 0) continue;
      const float* target = problem_.output.row(block.words[begin + i]);
      kernels_.add_weighted_rows(step_rows_[i], &target, &gradients_[i], 1, stride_);
    }
    for (size_t i = 0; i < n; ++i) {
      if (block.n_contexts(begin + i) == 0) continue;
      kernels_.add_weighted_rows(problem_.output.row(block.words[begin + i]), &hidden_rows_[i],
                                 &gradients_[i], 1, stride_);
    }
    negatives_.update_rows(std::span(hidden_rows_).first(n), prefetcher_);
    update_contexts(block, begin, n);
  }

 private:
  void find_positions(const Block& block, size_t begin, size_t end) {
    first_position_ = static_cast<int32_t>(begin);
    end_position_ = first_position_;
    for (size_t i = begin; i < end; ++i) {
      if (block.n_contexts(i) == 0) continue;
      first_position_ = std::min(first_position_, block.context_begin[i]);
      end_position_ = std::max(end_position_, block.context_end[i]);
    }
  }

  void sum_words(const Block& block) {
    for (int32_t c = first_position_; c < end_position_; ++c) {
      const auto rows = problem_.rows_of(block.words[static_cast<size_t>(c)]);
      kernels_.sum_rows(problem_.input.data(), stride_, rows.data(), rows.size(), 1.0f,
                        word_sum(c));
    }
  }

  float* word_sum(int32_t position) {
    return word_sums_.data() + static_cast<size_t>(position - first_position_) * stride_;
  }

  void compute_hidden(const Block& block, size_t begin, size_t n) {
    std::fill_n(hidden_.data(), lanes_ * stride_, 0.0f);
    for (size_t i = 0; i < n; ++i) {
      const auto centre = static_cast<int32_t>(begin + i);
      size_t n_rows = 0;
      sources_.clear();
      for (int32_t c = block.context_begin[begin + i]; c < block.context_end[begin + i]; ++c) {
        if (c == centre) continue;
        sources_.push_back(word_sum(c));
        n_rows += problem_.rows_of(block.words[static_cast<size_t>(c)]).size();
      }
      negatives_.set_pairs(i, sources_.empty() ? 0 : 1);
      scales_.assign(sources_.size(), 1.0f / static_cast<float>(std::max<size_t>(1, n_rows)));
      kernels_.add_weighted_rows(hidden_.data() + i * stride_, sources_.data(), scales_.data(),
                                 sources_.size(), stride_);
      prefetcher_.advance(stride_);
    }
    for (size_t i = n; i < lanes_; ++i) negatives_.set_pairs(i, 0);
    for (size_t lane = 0; lane < lanes_; lane += kLanes) {
      kernels_.transpose_tile(hidden_.data() + lane * stride_, stride_,
                              transposed_.data() + lane * stride_);
    }
  }

  // Moves the rows of the word at each context position by the steps of all its centres.
  void update_contexts(const Block& block, size_t begin, size_t n) {
    const auto reach = static_cast<int32_t>(problem_.window_size);
    const auto tile_begin = static_cast<int32_t>(begin), tile_end = tile_begin + static_cast<int32_t>(n);
    for (int32_t j = first_position_; j < end_position_; ++j) {
      sources_.clear();
      const int32_t stop = std::min(tile_end, j + reach + 1);
      for (int32_t c = std::max(tile_begin, j - reach); c < stop; ++c) {
        const auto centre = static_cast<size_t>(c);
        if (c != j && j >= block.context_begin[centre] && j < block.context_end[centre]) {
          sources_.push_back(step_rows_[centre - begin]);
        }
      }
      if (!sources_.empty()) {
        std::fill_n(position_step_.data(), stride_, 0.0f);
        kernels_.add_weighted_rows(position_step_.data(), sources_.data(), ones_.data(),
                                   sources_.size(), stride_);
        const auto rows = problem_.rows_of(block.words[static_cast<size_t>(j)]);
        kernels_.add_to_rows(problem_.input.data(), stride_, rows.data(), rows.size(),
                             position_step_.data());
      }
      prefetcher_.advance(stride_);
    }
  }

  const Problem& problem_;
  const Kernels& kernels_;
  const size_t lanes_;
  const size_t stride_;
  const size_t n_positions_;
  SharedNegatives negatives_;
  Prefetcher prefetcher_;
  size_t n_prefetch_calls_;
  FloatBuffer word_sums_;   // [position][dim]
  FloatBuffer hidden_;      // [lane][dim]
  FloatBuffer transposed_;  // [lane / kLanes][dim][kLanes]
  FloatBuffer step_;        // [lane][dim]
  FloatBuffer gradients_;   // of each centre's own output row
  FloatBuffer position_step_;
  FloatBuffer ones_;
  std::vector<float*> step_rows_;
  std::vector<const float*> hidden_rows_;
  std::vector<const float*> sources_;
  std::vector<float> scales_;
  int32_t first_position_ = 0;
  int32_t end_position_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_cbow_tile(const Problem& problem, const Kernels& kernels) {
  return std::make_unique<CbowTile>(problem, kernels);
}

}  // namespace brasa
