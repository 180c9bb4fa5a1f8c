// The scan against cosines in double precision, and its memory under sanitizers.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "neighbors/query_block.h"
#include "neighbors/scan.h"

namespace brasa {
namespace {

// Whole numbers, so that sums of products are exact in any order.
std::vector<float> whole_numbers(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 17) - 8);
  return values;
}

struct Problem {
  Problem(size_t n_rows, size_t n_queries, size_t dim)
      : numbers(whole_numbers(n_rows * (dim + 3), 1)), queries(whole_numbers(n_queries * dim, 2)) {
    rows = {numbers.data(), n_rows, dim, dim + 3};
    norms = inverse_norms(rows);
    offsets.assign(n_queries + 1, 0);
    scan = {rows, norms, std::nullopt, {queries.data(), n_queries, dim, dim}, offsets, {}, 7};
  }

  std::vector<int32_t> expected(size_t query) const {
    const float* x = scan.queries.row(query);
    std::vector<std::pair<double, int32_t>> all;
    for (size_t i = 0; i < scan.n_candidates(); ++i) {
      const int32_t row = scan.candidate(i);
      const float* y = rows.row(static_cast<size_t>(row));
      const double length = std::sqrt(dot(y, y, rows.dim)) * std::sqrt(dot(x, x, rows.dim));
      if (length > 0) all.emplace_back(-std::nearbyint(dot(x, y, rows.dim) / length * 0x1p40), row);
    }
    std::sort(all.begin(), all.end());
    std::vector<int32_t> best(scan.k, -1);
    for (size_t i = 0; i < std::min(scan.k, all.size()); ++i) best[i] = all[i].second;
    return best;
  }

  std::vector<float> numbers, queries, norms;
  std::vector<int64_t> offsets;
  RowView rows;
  Scan scan;
};

void check(const Problem& problem) {
  for (const std::string_view name : {"avx512", "avx2", "neon", "scalar"}) {
    const Kernels* kernels = find_kernels(name);
    if (kernels == nullptr) continue;
    const NearestRows found = scan_rows(problem.scan, *kernels, 3, [] {});
    for (size_t q = 0; q < problem.scan.queries.n_rows; ++q) {
      const auto first = found.rows.begin() + static_cast<std::ptrdiff_t>(q * problem.scan.k);
      CHECK(std::vector(first, first + static_cast<std::ptrdiff_t>(problem.scan.k)) ==
            problem.expected(q));
    }
  }
}

TEST_CASE("the nearest rows, of all and of some") {
  for (const size_t dim : {1, 5, 16, 33, 300}) {
    for (const size_t n_queries : {1, 4, 5, 70}) {
      CAPTURE(dim);
      CAPTURE(n_queries);
      Problem problem(2100, n_queries, dim);  // more than a thread takes at a time
      check(problem);
      const std::vector<int32_t> some = {0, 3, 4, 700, 2099};
      problem.scan.candidates = some;
      problem.scan.k = 5;
      check(problem);
    }
  }
}

TEST_CASE("what is excluded is not found, and what poll throws ends the scan") {
  Problem problem(300, 1, 8);
  std::vector<int32_t> all(300);
  std::iota(all.begin(), all.end(), 0);
  problem.scan.exclude = std::span(all).subspan(1);
  problem.offsets.back() = 299;
  const Kernels& kernels = *find_kernels("auto");
  const NearestRows found = scan_rows(problem.scan, kernels, 2, [] {});
  CHECK(found.rows == std::vector<int32_t>{0, -1, -1, -1, -1, -1, -1});
  const auto stop = [] { throw std::runtime_error("stop"); };
  CHECK_THROWS_WITH(scan_rows(problem.scan, kernels, 2, stop), "stop");
}

}  // namespace
}  // namespace brasa
