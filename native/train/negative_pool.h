// Negatives that are drawn for a tile while the one before it is trained.
#pragma once

#include <vector>

#include "train/prefetcher.h"
#include "train/problem.h"

namespace brasa {

class NegativePool {
 public:
  // Draws `shared_negatives` output rows for the next tile, to be fetched meanwhile.
  void draw(const Problem& problem, Random& random, Prefetcher& prefetcher) {
    drawn_.clear();
    for (uint32_t s = 0; s < problem.shared_negatives; ++s) {
      drawn_.push_back(problem.output.row(problem.negatives.draw(random)));
      prefetcher.push(drawn_.back());
    }
  }
  // Those drawn last become the rows of the tile at hand.
  void take() { rows_.swap(drawn_); }

  const std::vector<float*>& rows() const { return rows_; }

 private:
  std::vector<float*> rows_, drawn_;
};

}  // namespace brasa
