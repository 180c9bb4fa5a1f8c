// The arithmetic of training, once per instruction set.
//
// Every matrix row is `stride` floats long, where stride is a multiple of kRowAlign and what lies
// beyond the vector's dimension is zero and stays zero. Rows start on a 64-byte boundary. Whole
// rows can therefore be processed without a remainder loop, and one AVX-512 load is one cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace brasa {

// Rows are padded to a multiple of this many floats (one cache line).
inline constexpr size_t kRowAlign = 16;
// Centre words of one tile that are scored together: the lanes of `score_tile`.
inline constexpr size_t kLanes = 16;

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

  // out += sum over k of coefficients[k] * rows[k].
  void (*add_weighted_rows)(float* out, const float* const* rows, const float* coefficients,
                            size_t n, size_t stride);

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
};

// The kernels of an instruction set, or nullptr when this build or this processor lacks it.
// Names: "avx512", "avx2", "neon", "scalar"; "auto" is the fastest available.
const Kernels* find_kernels(std::string_view name);

}  // namespace brasa
