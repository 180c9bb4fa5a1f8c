// A span of blocks divided among threads, whatever a block is.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <exception>
#include <mutex>

#include "parallel/thread_group.h"
#include "train/problem.h"

namespace brasa {

struct SpanResult {
  double loss = 0;     // summed over the pairs looked at
  double n_pairs = 0;  // pairs looked at
  bool finite = true;  // false when a loss was NaN or infinite: training stopped at once
};

// Trains blocks first .. last - 1. Each thread calls make_worker() once, and what that gave as
// worker(index, loss) for each block that it takes.
template <typename MakeWorker>
SpanResult run_span(uint64_t first, uint64_t last, unsigned n_threads,
                    const MakeWorker& make_worker) {
  std::atomic<uint64_t> next{first};
  std::atomic<bool> finite{true};
  std::mutex mutex;
  SpanResult result;
  std::exception_ptr failure;

  const auto work = [&] {
    try {
      auto worker = make_worker();
      LossSum loss;
      for (uint64_t index; finite && (index = next.fetch_add(1)) < last;) {
        worker(index, loss);
        if (!std::isfinite(loss.loss)) finite = false;
      }
      const std::lock_guard lock(mutex);
      result.loss += loss.loss;
      result.n_pairs += loss.pairs;
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = last;
    }
  };

  {
    const ThreadGroup others(std::min<uint64_t>(n_threads, last - first) - 1, work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
  result.finite = finite;
  return result;
}

}  // namespace brasa
