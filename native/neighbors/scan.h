// Nearest rows by cosine: every row is scored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "lookup/rows.h"
#include "simd/kernels.h"

namespace brasa {

// 1 / length of each row; NaN for a row that has no direction: zero, not finite, or so short or
// long that the square of its length is no normal float.
std::vector<float> inverse_norms(const RowView& rows);

struct Scan {
  RowView vectors;
  std::span<const float> inverse_norms;
  // Rows that may be found, ascending; all when there is no such list.
  std::optional<std::span<const int32_t>> candidates;
  RowView queries;  // finite, not zero
  // exclude[exclude_offsets[q], exclude_offsets[q + 1]): rows that query q must not find,
  // ascending.
  std::span<const int64_t> exclude_offsets;
  std::span<const int32_t> exclude;
  size_t k;

  size_t n_candidates() const { return candidates ? candidates->size() : vectors.n_rows; }
  int32_t candidate(size_t position) const {
    return candidates ? (*candidates)[position] : static_cast<int32_t>(position);
  }
};

// The k nearest rows of each query, best first, those of equal cosine in ascending order. Where
// there are fewer, row -1 and NaN follow.
struct NearestRows {
  std::vector<int32_t> rows;
  std::vector<double> cosines;
};

// Rows are scored in single precision; all that may be among the k nearest, given its rounding, are
// put in order by their cosines in double precision, rounded to 2^-40. So the result depends
// neither on the kernels nor on what other queries or threads there are. `poll` is called every few
// milliseconds by the calling thread, and may throw to end the scan.
NearestRows scan_rows(const Scan& scan, const Kernels& kernels, unsigned n_threads,
                      const std::function<void()>& poll);

}  // namespace brasa
