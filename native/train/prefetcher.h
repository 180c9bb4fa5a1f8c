// Fetching the rows of the next tile while this one is computed.
#pragma once

#include <algorithm>
#include <vector>

#include "simd/kernels.h"

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

}  // namespace brasa
