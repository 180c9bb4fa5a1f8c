// Skip-gram, each pair in turn as in fastText, for a few centre words side by side.
//
// kCentres centres are open at a time, and each step trains one pair of each of them: with hidden
// vector h_c (at first the mean of its word's rows), context output row o_c, and negative_samples
// negatives n_r that the step's pairs share, the loss is
//   sum_c (-log sigmoid(h_c . o_c)  +  sum_r -log sigmoid(-h_c . n_r)).
// Output rows and hidden vectors move before the next step. A centre without pairs left makes room
// for the next word of the tile, and each row of its word moves by all that its hidden vector has
// moved: as in fastText, where they move together pair by pair.
//
// A negative's row is read and written once for four pairs, which is what a tile saves; the steps
// take their negatives in turn from a pool that is drawn for the tile while the one before it is
// trained, so that rows can be fetched ahead.
#include <array>

#include "train/negative_pool.h"
#include "train/step.h"

namespace brasa {
namespace {

class SkipgramTile : public Step {
 public:
  SkipgramTile(const Problem& problem, const Kernels& kernels)
      : problem_(problem),
        kernels_(kernels),
        stride_(problem.input.stride()),
        vectors_(2 * kCentres * stride_),
        scores_((size_t{problem.negative_samples} + 1) * kCentres + 2 * kLanes),
        gradients_((size_t{problem.negative_samples} + 1) * kCentres + 2 * kLanes),
        negatives_(problem.negative_samples) {
    for (size_t c = 0; c < kCentres; ++c) {
      hidden_[c] = vectors_.data() + 2 * c * stride_;
      centres_[c].start = hidden_[c] + stride_;
    }
  }

  size_t tile_size() const override { return problem_.tile_size; }

  void prepare(const Block& block, size_t begin, size_t end, Random& random) override {
    prefetcher_.clear();
    pool_.take();
    next_negative_ = 0;
    if (begin == end) return;
    size_t n_pairs = 0;
    for (size_t i = begin; i < end; ++i) {
      for (const int32_t row : problem_.rows_of(block.words[i])) {
        prefetcher_.push(problem_.input.row(row));
      }
      n_pairs += static_cast<size_t>(block.n_contexts(i));
    }
    // Of the contexts, those that the tile before it does not reach.
    const size_t reach = problem_.window_size;
    const size_t ahead = std::min(block.words.size(), end + reach);
    for (size_t i = begin == 0 ? 0 : begin + reach; i < ahead; ++i) {
      prefetcher_.push(problem_.output.row(block.words[i]));
    }
    pool_.draw(problem_, random, prefetcher_);
    // They are fetched in the steps of the tile before.
    prefetcher_.spread(std::max<size_t>(1, n_pairs_ / kCentres));
    n_pairs_ = n_pairs;
  }

  void train(const Block& block, size_t begin, size_t end, float learning_rate,
             LossSum* loss) override {
    size_t next = begin, n_open = 0;
    for (;;) {
      for (; n_open < kCentres && next < end; ++next) {
        if (block.n_contexts(next) > 0) open(block, next, n_open++);
      }
      if (n_open == 0) return;
      step(block, n_open, learning_rate, loss);
      for (size_t c = n_open; c-- > 0;) {
        if (centres_[c].context < centres_[c].end) continue;
        close(block, c);
        --n_open;
        std::swap(centres_[c], centres_[n_open]);
        std::swap(hidden_[c], hidden_[n_open]);
      }
    }
  }

 private:
  // A centre word whose pairs are being trained.
  struct Centre {
    float* start;  // its hidden vector when it was opened
    int32_t position;
    int32_t context, end;  // positions of the contexts that are left
  };

  void open(const Block& block, size_t position, size_t c) {
    const auto rows = problem_.rows_of(block.words[position]);
    Centre& centre = centres_[c];
    kernels_.sum_rows(problem_.input.data(), stride_, rows.data(), rows.size(),
                      1.0f / static_cast<float>(rows.size()), centre.start);
    std::copy_n(centre.start, stride_, hidden_[c]);
    centre.position = static_cast<int32_t>(position);
    centre.context = block.context_begin[position];
    centre.end = block.context_end[position];
    skip_itself(centre);
  }

  static void skip_itself(Centre& centre) {
    if (centre.context == centre.position) ++centre.context;
  }

  void close(const Block& block, size_t c) {
    const auto rows = problem_.rows_of(block.words[static_cast<size_t>(centres_[c].position)]);
    const float* start = centres_[c].start;
    constexpr float kMinusOne = -1.0f;
    kernels_.add_weighted_rows(hidden_[c], &start, &kMinusOne, 1, stride_);
    kernels_.add_to_rows(problem_.input.data(), stride_, rows.data(), rows.size(), hidden_[c]);
  }

  // Trains one pair of each of the first `n_open` centres.
  void step(const Block& block, size_t n_open, float learning_rate, LossSum* loss) {
    for (size_t c = 0; c < n_open; ++c) {
      Centre& centre = centres_[c];
      contexts_[c] = problem_.output.row(block.words[static_cast<size_t>(centre.context++)]);
      skip_itself(centre);
    }
    for (float*& negative : negatives_) {
      negative = pool_.rows()[next_negative_];
      if (++next_negative_ == pool_.rows().size()) next_negative_ = 0;
    }
    kernels_.train_pairs(hidden_.data(), contexts_.data(), n_open, negatives_.data(),
                         negatives_.size(), stride_, learning_rate, scores_.data(),
                         gradients_.data());
    prefetcher_.advance(stride_);
    if (loss == nullptr) return;
    for (size_t c = 0; c < n_open; ++c) {
      loss->loss += softplus_of_minus(scores_[c]);
      for (size_t r = 1; r <= negatives_.size(); ++r) {
        loss->loss += softplus_of_minus(-scores_[r * kCentres + c]);
      }
    }
    loss->pairs += static_cast<double>(n_open);
  }

  const Problem& problem_;
  const Kernels& kernels_;
  const size_t stride_;
  Prefetcher prefetcher_;
  FloatBuffer vectors_;    // [centre][hidden, start][dim]
  FloatBuffer scores_;     // [context, then negatives][centre]
  FloatBuffer gradients_;  // the same
  std::array<Centre, kCentres> centres_;
  std::array<float*, kCentres> hidden_;
  std::array<float*, kCentres> contexts_;
  std::vector<float*> negatives_;  // of the step
  NegativePool pool_;
  size_t next_negative_ = 0;  // in the pool's rows
  size_t n_pairs_ = 0;        // of the tile prepared last
};

}  // namespace

std::unique_ptr<Step> make_skipgram_tile(const Problem& problem, const Kernels& kernels) {
  return std::make_unique<SkipgramTile>(problem, kernels);
}

}  // namespace brasa
