// Queries that are scored together, in the layout of the kernels.
#pragma once

#include <cstddef>
#include <vector>

#include "lookup/rows.h"
#include "simd/kernels.h"
#include "train/step.h"

namespace brasa {

// A row is read from memory once for so many queries: 64 of 300 numbers take 77 KB, which stay in
// the second-level cache.
inline constexpr size_t kBlockQueries = 64;
// Rows that are scored before their scores are looked at.
inline constexpr size_t kBlockRows = 64;

// Queries first .. first + size - 1, scaled to length 1.
class QueryBlock {
 public:
  QueryBlock(const RowView& queries, size_t first, size_t size, const Kernels& kernels);

  size_t size() const { return size_; }
  // Floats that `score` writes for kBlockRows rows.
  size_t n_scores() const { return kBlockRows * round_up(size_, kLanes); }

  // scores[r * row_step() + q * query_step()] = query q . rows[r], for n_rows <= kBlockRows.
  void score(const float* const* rows, size_t n_rows, float* scores) const;
  size_t row_step() const { return few() ? 1 : round_up(size_, kLanes); }
  size_t query_step() const { return few() ? kBlockRows : 1; }

 private:
  // Up to so many queries are cheaper one by one than side by side in kLanes lanes: with a million
  // rows of 100 numbers, 4 take 41 ms of processor time instead of 58.
  bool few() const { return size_ <= 4; }

  const Kernels& kernels_;
  size_t size_, dim_, stride_;
  FloatBuffer units_;       // size_ rows, padded with zeros; room for whole tiles
  FloatBuffer transposed_;  // kLanes queries after kLanes queries
};

// Sum of products in double precision.
double dot(const float* a, const float* b, size_t dim);

}  // namespace brasa
