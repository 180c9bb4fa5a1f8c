// Continuous bag of words with negatives shared by a tile of consecutive centre words.
//
// The hidden vector of centre i is the mean over all input rows of all its context words, as in
// fastText: h_i = (sum of S_c) / (sum of n_c) over its contexts c, with S_c the sum and n_c the
// number of the rows of the word at position c. The loss is
//   -log sigmoid(h_i . o_i)  +  w sum_s -log sigmoid(-h_i . n_s),
//   w = negative_samples / shared_negatives,
// with o_i the output row of the centre.
//
// S_c is computed once for all centres that see position c, in this tile and the next, and moves
// with the steps of its centres; the rows of the word at c follow once, when no later centre sees
// c. With subwords, reading and moving rows is nearly all of the work, and tiles that share no
// position with their neighbors would do it (16 + 2 * window) / 16 times as often.
#include "train/shared_negatives.h"

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
        pending_(n_positions_ * stride_),
        hidden_(lanes_ * stride_),
        step_(lanes_ * stride_),
        gradients_(lanes_) {
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
    // Of the contexts, those that the tile before it does not load.
    const size_t reach = problem_.window_size;
    const size_t ahead = std::min(block.words.size(), end + reach);
    for (size_t i = begin == 0 ? 0 : begin + reach; i < ahead; ++i) {
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
    if (begin == 0) first_ = loaded_ = 0;
    load(block, std::min(block.words.size(), end + problem_.window_size));
    compute_hidden(block, begin, n);
    for (size_t i = 0; i < n; ++i) {
      const float* target = problem_.output.row(block.words[begin + i]);
      kernels_.dot_rows(hidden_rows_[i], &target, 1, stride_, gradients_.data() + i);
    }
    negatives_.score(hidden_.data(), prefetcher_);
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
    // After all have been read: a word may be the target of several centres.
    for (size_t i = 0; i < n; ++i) {
      if (block.n_contexts(begin + i) == 0) continue;
      kernels_.add_weighted_rows(problem_.output.row(block.words[begin + i]), &hidden_rows_[i],
                                 &gradients_[i], 1, stride_);
    }
    negatives_.update_rows(std::span<const float* const>(hidden_rows_.data(), n), prefetcher_);
    move_positions(block, begin, end);
    const bool last = end == block.words.size();
    store(block, last ? loaded_ : end - std::min<size_t>(end, problem_.window_size));
  }

 private:
  float* word_sum(size_t position) { return word_sums_.data() + position % n_positions_ * stride_; }
  float* pending(size_t position) { return pending_.data() + position % n_positions_ * stride_; }

  // Sums the rows of the words up to position `end`.
  void load(const Block& block, size_t end) {
    for (; loaded_ < end; ++loaded_) {
      const auto rows = problem_.rows_of(block.words[loaded_]);
      kernels_.sum_rows(problem_.input.data(), stride_, rows.data(), rows.size(), 1.0f,
                        word_sum(loaded_));
      std::fill_n(pending(loaded_), stride_, 0.0f);
    }
  }

  // Moves the rows of the words before position `end`, which no later centre sees.
  void store(const Block& block, size_t end) {
    for (; first_ < end; ++first_) {
      const auto rows = problem_.rows_of(block.words[first_]);
      kernels_.add_to_rows(problem_.input.data(), stride_, rows.data(), rows.size(),
                           pending(first_));
      prefetcher_.advance(stride_);
    }
  }

  void compute_hidden(const Block& block, size_t begin, size_t n) {
    std::fill_n(hidden_.data(), lanes_ * stride_, 0.0f);
    for (size_t i = 0; i < lanes_; ++i) {
      sources_.clear();
      size_t n_rows = 0;
      if (i < n) {
        const auto end = static_cast<size_t>(block.context_end[begin + i]);
        for (auto c = static_cast<size_t>(block.context_begin[begin + i]); c < end; ++c) {
          if (c == begin + i) continue;
          sources_.push_back(word_sum(c));
          n_rows += problem_.rows_of(block.words[c]).size();
        }
        prefetcher_.advance(stride_);
      }
      // Lanes without a centre, and centres without a context, have weight 0.
      negatives_.set_pairs(i, sources_.empty() ? 0 : 1);
      scales_.assign(sources_.size(), 1.0f / static_cast<float>(std::max<size_t>(1, n_rows)));
      kernels_.add_weighted_rows(hidden_rows_[i], sources_.data(), scales_.data(), sources_.size(),
                                 stride_);
    }
  }

  // Adds to each position the steps of its centres among begin .. end - 1.
  void move_positions(const Block& block, size_t begin, size_t end) {
    const size_t reach = problem_.window_size;
    for (size_t c = begin - std::min(begin, reach); c < std::min(loaded_, end + reach); ++c) {
      sources_.clear();
      const auto position = static_cast<int32_t>(c);
      const size_t stop = std::min(end, c + reach + 1);
      for (size_t i = std::max(begin, c - std::min(c, reach)); i < stop; ++i) {
        if (i != c && position >= block.context_begin[i] && position < block.context_end[i]) {
          sources_.push_back(step_rows_[i - begin]);
        }
      }
      if (sources_.empty()) continue;
      scales_.assign(sources_.size(), 1.0f);
      kernels_.add_weighted_rows(pending(c), sources_.data(), scales_.data(), sources_.size(),
                                 stride_);
      // Each of the word's rows will move by the steps, so their sum moves n_rows times as far.
      const size_t n_rows = problem_.rows_of(block.words[c]).size();
      scales_.assign(sources_.size(), static_cast<float>(n_rows));
      kernels_.add_weighted_rows(word_sum(c), sources_.data(), scales_.data(), sources_.size(),
                                 stride_);
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
  FloatBuffer word_sums_;  // [position % n_positions_][dim], S_c
  FloatBuffer pending_;    // [position % n_positions_][dim], what the word's rows are to move by
  FloatBuffer hidden_;     // [lane][dim]
  FloatBuffer step_;       // [lane][dim]
  FloatBuffer gradients_;  // of each centre's own output row
  std::vector<float*> step_rows_;
  std::vector<float*> hidden_rows_;
  std::vector<const float*> sources_;
  std::vector<float> scales_;
  // Positions first_ .. loaded_ - 1 are summed and not yet stored.
  size_t first_ = 0;
  size_t loaded_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_cbow_tile(const Problem& problem, const Kernels& kernels) {
  return std::make_unique<CbowTile>(problem, kernels);
}

}  // namespace brasa
