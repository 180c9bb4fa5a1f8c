// What the skip-gram and the cbow tile share: negatives shared by a tile, and fetching the rows of
// the next tile while this one is computed.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "train/step.h"

namespace brasa {

// Rows to be fetched into the cache, a few at a time between pieces of arithmetic: a burst would
// fill the core's miss buffers and stall the loads of the tile at hand.
class Prefetcher {
 public:
  void clear() {
    rows_.clear();
    next_ = 0;
  }
  void push(const float* row) { rows_.push_back(row); }
  // Spreads what has been pushed over `n_calls` calls of `advance`.
  void spread(size_t n_calls) {
    per_call_ = (rows_.size() + n_calls - 1) / std::max<size_t>(1, n_calls);
  }

  void advance(size_t stride) {
    const size_t end = std::min(rows_.size(), next_ + per_call_);
    for (; next_ < end; ++next_) {
      // To the second-level cache: a tile's rows (16 words x 20 rows x 448 bytes) do not fit the
      // first.
      for (size_t d = 0; d < stride; d += kRowAlign) __builtin_prefetch(rows_[next_] + d, 1, 2);
    }
  }

 private:
  std::vector<const float*> rows_;
  size_t next_ = 0;
  size_t per_call_ = 0;
};

// Scores and gradients of one tile against its shared negatives.
//
// With N negatives shared by a tile, each stands for (pairs of the centre x negative_samples / N)
// negatives of its own: the expected gradient is that of per-pair negatives.
class SharedNegatives {
 public:
  SharedNegatives(const Problem& problem, const Kernels& kernels, size_t lanes)
      : problem_(problem),
        kernels_(kernels),
        lanes_(lanes),
        transposed_(lanes * problem.output.stride()),
        scores_(problem.shared_negatives * lanes),
        weights_(lanes) {}

  void draw(Random& random, Prefetcher& prefetcher) {
    drawn_.clear();
    for (uint32_t s = 0; s < problem_.shared_negatives; ++s) {
      drawn_.push_back(problem_.output.row(problem_.negatives.draw(random)));
      prefetcher.push(drawn_.back());
    }
  }
  // The negatives drawn last become those of the tile at hand.
  void take() { rows_.swap(drawn_); }

  // Weight of each negative for the centre in lane i, which has `n_pairs` positive pairs.
  void set_pairs(size_t i, size_t n_pairs) {
    weights_[i] = static_cast<float>(n_pairs * problem_.negative_samples) /
                  static_cast<float>(problem_.shared_negatives);
  }

  // Scores the hidden vector of every lane, a row each, against every negative.
  void score(const float* hidden, Prefetcher& prefetcher) {
    const size_t stride = problem_.output.stride();
    for (size_t lane = 0; lane < lanes_; lane += kLanes) {
      kernels_.transpose_tile(hidden + lane * stride, stride, transposed_.data() + lane * stride);
    }
    for (size_t r = 0; r < rows_.size(); r += kRowsPerCall) {
      const size_t n = std::min(kRowsPerCall, rows_.size() - r);
      for (size_t lane = 0; lane < lanes_; lane += kLanes) {
        kernels_.score_tile(transposed_.data() + lane * stride, rows_.data() + r, n, problem_.dim,
                            lanes_, scores_.data() + r * lanes_ + lane);
      }
      prefetcher.advance(stride);
    }
  }

  double loss(size_t n_lanes) {
    double sum = 0;
    for (size_t s = 0; s < rows_.size(); ++s) {
      for (size_t i = 0; i < n_lanes; ++i) {
        sum += weights_[i] * softplus_of_minus(-scores_[s * lanes_ + i]);
      }
    }
    return sum;
  }

  // Turns scores into gradients, and adds what they move the hidden vectors by to `hidden_steps`.
  void add_hidden_steps(float learning_rate, std::span<float* const> hidden_steps,
                        Prefetcher& prefetcher) {
    for (size_t i = 0; i < lanes_; ++i) weights_[i] *= learning_rate;
    kernels_.negative_gradient(scores_.data(), rows_.size(), lanes_, weights_.data());
    for (size_t m = 0; m < hidden_steps.size(); m += kRowsPerCall) {
      kernels_.add_products(hidden_steps.data() + m,
                            std::min(kRowsPerCall, hidden_steps.size() - m), scores_.data() + m, 1,
                            lanes_, rows_.data(), rows_.size(), problem_.output.stride());
      prefetcher.advance(problem_.output.stride());
    }
  }

  // Moves the negatives' output rows by the gradients times the hidden vectors.
  void update_rows(std::span<const float* const> hidden, Prefetcher& prefetcher) {
    for (size_t s = 0; s < rows_.size(); s += kRowsPerCall) {
      kernels_.add_products(rows_.data() + s, std::min(kRowsPerCall, rows_.size() - s),
                            scores_.data() + s * lanes_, lanes_, 1, hidden.data(), hidden.size(),
                            problem_.output.stride());
      prefetcher.advance(problem_.output.stride());
    }
  }

  // Calls of the prefetcher by the three functions above, for a tile of `tile_size` words.
  size_t n_prefetch_calls(size_t tile_size) const {
    const auto blocks = [](size_t n) { return (n + kRowsPerCall - 1) / kRowsPerCall; };
    return 2 * blocks(problem_.shared_negatives) + blocks(tile_size);
  }

 private:
  static constexpr size_t kRowsPerCall = 8;

  const Problem& problem_;
  const Kernels& kernels_;
  size_t lanes_;
  std::vector<float*> rows_, drawn_;
  FloatBuffer transposed_;  // [lane / kLanes][dim][kLanes]
  FloatBuffer scores_;      // [negative][lane]
  FloatBuffer weights_;
};

inline size_t round_up(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

}  // namespace brasa
