// The arithmetic of training, once per instruction set.
//
// Every matrix row is `stride` floats long, where stride is a multiple of kRowAlign and what lies
// beyond the vector's dimension is zero and stays zero. Rows start on a 64-byte boundary. Whole
// rows can therefore be processed without a remainder loop, and one AVX-512 load is one cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "simd/bucket_cell.h"

namespace brasa {

// Rows are padded to a multiple of this many floats (one cache line).
inline constexpr size_t kRowAlign = 16;
// Centre words of one tile that are scored together: the lanes of `score_tile`.
inline constexpr size_t kLanes = 16;

// Centre words whose pairs `train_pairs` trains side by side.
inline constexpr size_t kCentres = 4;

inline constexpr size_t round_up(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

struct Kernels {
  const char* name;

  // out = scale * (sum of the n rows of `matrix` named by `rows`).
  void (*sum_rows)(const float* matrix, size_t stride, const int32_t* rows, size_t n, float scale,
                   float* out);

  // matrix[rows[k]] += delta, for each of the n rows in turn.
  void (*add_to_rows)(float* matrix, size_t stride, const int32_t* rows, size_t n,
                      const float* delta);

  // out[k] = vector . rows[k], for n rows given by address.
  void (*dot_rows)(const float* vector, const float* const* rows, size_t n, size_t stride,
                   float* out);

  // out[k] = vector . rows[k], for n rows of `dim` numbers that are neither padded nor aligned;
  // those of `vector` are. A row's result does not depend on the others.
  void (*dot_unpadded_rows)(const float* vector, const float* const* rows, size_t n, size_t dim,
                            float* out);

  // out += sum over k of coefficients[k] * rows[k].
  void (*add_weighted_rows)(float* out, const float* const* rows, const float* coefficients,
                            size_t n, size_t stride);

  // A step of logistic regression for n_centres <= kCentres hidden vectors, each against a context
  // row of its own (label 1) and all against n_negatives rows (label 0). First, with row 0 the
  // centre's context and row r the negative r - 1,
  //   scores[r * kCentres + c] = hidden[c] . row r,
  //   gradients[r * kCentres + c] = scale * (label - sigmoid(scores[r * kCentres + c])).
  // Then each negative in turn, and after those the context of each centre in turn, moves by the
  // sum of gradient * hidden[c] over its centres, and hidden[c] is to move by gradient * row, the
  // row before its move. Hidden vectors move last. Rows may repeat, but none is a hidden vector.
  // `scores` and `gradients` have room for (n_negatives + 1) * kCentres + 2 * kLanes numbers.
  void (*train_pairs)(float* const* hidden, float* const* contexts, size_t n_centres,
                      float* const* negatives, size_t n_negatives, size_t stride, float scale,
                      float* scores, float* gradients);

  // transposed[d * kLanes + i] = tile[i * stride + d], for kLanes rows.
  void (*transpose_tile)(const float* tile, size_t stride, float* transposed);

  // scores[r * score_stride + i] = sum over d of rows[r][d] * transposed[d * kLanes + i].
  void (*score_tile)(const float* transposed, const float* const* rows, size_t n_rows, size_t dim,
                     size_t score_stride, float* scores);

  // targets[m] += sum over k of a[m * a_row + k * a_column] * sources[k], for m < n_targets.
  // Targets may repeat and may be rows of a shared matrix; no target may be a source.
  void (*add_products)(float* const* targets, size_t n_targets, const float* a, size_t a_row,
                       size_t a_column, const float* const* sources, size_t n_sources,
                       size_t stride);

  // values[k] = scale * (label - sigmoid(values[k])), for n values; n is a multiple of kLanes.
  void (*logistic_gradient)(float* values, size_t n, float label, float scale);

  // values[r * n_lanes + i] = -weights[i] * sigmoid(values[r * n_lanes + i]): the gradient of
  // n_rows negatives, each weighted per lane; n_lanes is a multiple of kLanes.
  void (*negative_gradient)(float* values, size_t n_rows, size_t n_lanes, const float* weights);

  // Writes first + how many used buckets come before it, for each of n buckets that is used, and
  // gives the end. `out` has room for n numbers, and may be `buckets`.
  int32_t* (*number_buckets)(const BucketCell* cells, const uint32_t* buckets, size_t n,
                             uint32_t first, int32_t* out);
};

// The kernels of an instruction set, or nullptr when this build or this processor lacks it.
// Names: "avx512", "avx2", "neon", "scalar"; "auto" is the fastest available.
const Kernels* find_kernels(std::string_view name);

}  // namespace brasa
