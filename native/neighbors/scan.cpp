#include "neighbors/scan.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <utility>

#include "neighbors/query_block.h"
#include "neighbors/top_rows.h"
#include "parallel/parallel_for.h"
#include "parallel/run_parts.h"

namespace brasa {
namespace {

// What a thread takes at a time: 64 queries of 2048 numbers take 5 ms.
constexpr size_t kChunk = 2048;
// Multiplications that are worth a thread of their own: 0.7 ms.
constexpr size_t kThreadWork = 1 << 22;
// Cosines are rounded to multiples of 2^-40, so that rows of one direction tie: in double precision
// alone they differ by some 2^-53, depending on their lengths.
constexpr double kCosineSteps = 1LL << 40;

// Twice what a score can be off by: the sum of dim products of numbers of length 1 by dim * 2^-24,
// the scaling before and after it by a few times 2^-24.
float margin_of(size_t dim) { return 2 * static_cast<float>(dim + 8) * 0x1p-24f; }

// The rows that one thread finds for a block of queries.
class Worker {
 public:
  Worker(const Scan& scan, const QueryBlock& block, size_t first, const TopRows& none)
      : scan_(scan),
        block_(block),
        first_(first),
        best_(block.size(), none),
        thresholds_(round_up(block.size(), kLanes), std::numeric_limits<float>::infinity()),
        scores_(block.n_scores()) {
    std::fill_n(thresholds_.begin(), block.size(), -std::numeric_limits<float>::infinity());
  }

  void visit(size_t begin, size_t end) {
    for (; begin < end; begin += kBlockRows) visit_block(begin, std::min(kBlockRows, end - begin));
  }

  std::vector<TopRows>& best() { return best_; }

 private:
  void visit_block(size_t begin, size_t n_rows) {
    std::array<const float*, kBlockRows> rows;
    for (size_t r = 0; r < n_rows; ++r) {
      rows[r] = scan_.vectors.row(static_cast<size_t>(scan_.candidate(begin + r)));
    }
    block_.score(rows.data(), n_rows, scores_.data());
    for (size_t r = 0; r < n_rows; ++r) offer(scan_.candidate(begin + r), r);
  }

  void offer(int32_t row, size_t r) {
    const float scale = scan_.inverse_norms[static_cast<size_t>(row)];
    const float* scores = scores_.data() + r * block_.row_step();
    if (block_.query_step() == 1 && !any_above_threshold(scores, scale)) return;
    for (size_t q = 0; q < block_.size(); ++q) {
      const float score = scores[q * block_.query_step()] * scale;
      if (score > thresholds_[q] && !excluded(q, row)) {
        best_[q].add(score, row);
        thresholds_[q] = best_[q].threshold();
      }
    }
  }

  // Nearly always false. Without a branch for each query the compiler compares several at once: 64
  // queries of 100 numbers take 163 ms instead of 190.
  bool any_above_threshold(const float* scores, float scale) const {
    int any = 0;
    for (size_t q = 0; q < thresholds_.size(); ++q) any |= scores[q] * scale > thresholds_[q];
    return any != 0;
  }

  bool excluded(size_t q, int32_t row) const {
    const int64_t* offset = scan_.exclude_offsets.data() + first_ + q;
    return std::binary_search(scan_.exclude.data() + offset[0], scan_.exclude.data() + offset[1],
                              row);
  }

  const Scan& scan_;
  const QueryBlock& block_;
  size_t first_;
  std::vector<TopRows> best_;
  std::vector<float> thresholds_;  // infinite for the lanes without a query
  FloatBuffer scores_;
};

std::vector<TopRows> scan_block(const Scan& scan, const QueryBlock& block, size_t first,
                                unsigned n_threads, const std::function<void()>& poll) {
  const size_t n = scan.n_candidates();
  const TopRows none(scan.k, margin_of(scan.vectors.dim));
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::vector<TopRows> best(block.size(), none);
  std::exception_ptr failure;

  const auto work = [&](bool polls) {
    try {
      Worker worker(scan, block, first, none);
      for (size_t begin; (begin = next.fetch_add(kChunk)) < n;) {
        worker.visit(begin, std::min(n, begin + kChunk));
        if (polls) poll();
      }
      const std::lock_guard lock(mutex);
      for (size_t q = 0; q < best.size(); ++q) best[q].merge(worker.best()[q]);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = n;
    }
  };

  const double work_size = static_cast<double>(n * scan.vectors.dim * block.size());
  const double useful = std::clamp(work_size / kThreadWork, 1.0, static_cast<double>(n_threads));
  run_parts(static_cast<size_t>(useful), [&](size_t part) { work(part == 0); });
  if (failure) std::rethrow_exception(failure);
  return best;
}

void write_nearest(const Scan& scan, const TopRows& best, const float* query, int32_t* rows,
                   double* cosines) {
  std::vector<std::pair<double, int32_t>> found;  // descending cosines, negated, and rows
  found.reserve(best.rows().size());
  const double query_norm = std::sqrt(dot(query, query, scan.queries.dim));
  for (const auto& [score, row] : best.rows()) {
    const float* vector = scan.vectors.row(static_cast<size_t>(row));
    const double norm = std::sqrt(dot(vector, vector, scan.vectors.dim));
    const double cosine = dot(query, vector, scan.vectors.dim) / query_norm / norm;
    found.emplace_back(-std::nearbyint(cosine * kCosineSteps) / kCosineSteps, row);
  }
  std::ranges::sort(found);
  for (size_t i = 0; i < std::min(scan.k, found.size()); ++i) {
    rows[i] = found[i].second;
    cosines[i] = -found[i].first;
  }
}

}  // namespace

std::vector<float> inverse_norms(const RowView& rows) {
  std::vector<float> inverse(rows.n_rows);
  parallel_for(rows.n_rows, 4096, [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) {
      const double squares = dot(rows.row(r), rows.row(r), rows.dim);
      const bool usable = squares >= FLT_MIN && squares <= FLT_MAX;
      inverse[r] = usable ? static_cast<float>(1 / std::sqrt(squares))
                          : std::numeric_limits<float>::quiet_NaN();
    }
  });
  return inverse;
}

NearestRows scan_rows(const Scan& scan, const Kernels& kernels, unsigned n_threads,
                      const std::function<void()>& poll) {
  const size_t n = scan.queries.n_rows;
  NearestRows nearest{std::vector<int32_t>(n * scan.k, -1),
                      std::vector<double>(n * scan.k, std::numeric_limits<double>::quiet_NaN())};
  for (size_t first = 0; first < n; first += kBlockQueries) {
    const QueryBlock block(scan.queries, first, std::min(kBlockQueries, n - first), kernels);
    const std::vector<TopRows> best = scan_block(scan, block, first, n_threads, poll);
    for (size_t q = 0; q < best.size(); ++q) {
      const size_t at = (first + q) * scan.k;
      write_nearest(scan, best[q], scan.queries.row(first + q), nearest.rows.data() + at,
                    nearest.cosines.data() + at);
      poll();
    }
  }
  return nearest;
}

}  // namespace brasa
