// The negatives of a cbow tile.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "train/negative_pool.h"
#include "train/step.h"

namespace brasa {

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

  void draw(Random& random, Prefetcher& prefetcher) { pool_.draw(problem_, random, prefetcher); }
  void take() { pool_.take(); }

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
    for (size_t r = 0; r < rows().size(); r += kRowsPerCall) {
      const size_t n = std::min(kRowsPerCall, rows().size() - r);
      for (size_t lane = 0; lane < lanes_; lane += kLanes) {
        kernels_.score_tile(transposed_.data() + lane * stride, rows().data() + r, n, problem_.dim,
                            lanes_, scores_.data() + r * lanes_ + lane);
      }
      prefetcher.advance(stride);
    }
  }

  double loss(size_t n_lanes) {
    double sum = 0;
    for (size_t s = 0; s < rows().size(); ++s) {
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
    kernels_.negative_gradient(scores_.data(), rows().size(), lanes_, weights_.data());
    for (size_t m = 0; m < hidden_steps.size(); m += kRowsPerCall) {
      kernels_.add_products(hidden_steps.data() + m,
                            std::min(kRowsPerCall, hidden_steps.size() - m), scores_.data() + m, 1,
                            lanes_, rows().data(), rows().size(), problem_.output.stride());
      prefetcher.advance(problem_.output.stride());
    }
  }

  // Moves the negatives' output rows by the gradients times the hidden vectors.
  void update_rows(std::span<const float* const> hidden, Prefetcher& prefetcher) {
    for (size_t s = 0; s < rows().size(); s += kRowsPerCall) {
      kernels_.add_products(rows().data() + s, std::min(kRowsPerCall, rows().size() - s),
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

  const std::vector<float*>& rows() const { return pool_.rows(); }

  const Problem& problem_;
  const Kernels& kernels_;
  size_t lanes_;
  NegativePool pool_;
  FloatBuffer transposed_;  // [lane / kLanes][dim][kLanes]
  FloatBuffer scores_;      // [negative][lane]
  FloatBuffer weights_;
};

}  // namespace brasa
