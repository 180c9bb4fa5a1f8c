// The kernels, written once over a vector type V and compiled once per instruction set.
//
// V supplies: Register, kWidth, zero, broadcast, load, load_unaligned, load_first (n < kWidth
// numbers, not touching what lies beyond; zeros follow), store, add, multiply, fma (a * b + c), sum
// (of all lanes), sum_each (of eight registers), count_bits (of a uint64_t), sigmoid, transpose (of
// a kLanes x kLanes block); kRowBlock and kColumnBlock, the shape of add_products' register tile,
// and kPairColumns, the registers of each row that train_pairs holds at once.
#pragma once

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "simd/kernels.h"

namespace brasa {

// Calls f with std::integral_constant<size_t, n> for 1 <= n <= kMax, so that loops over n registers
// unroll and stay in registers.
template <size_t kMax, typename F>
inline __attribute__((always_inline)) void with_constant(size_t n, F&& f) {
  if constexpr (kMax >= 1) {
    if (n == kMax) {
      f(std::integral_constant<size_t, kMax>{});
    } else {
      with_constant<kMax - 1>(n, std::forward<F>(f));
    }
  }
}

// 1 in the lanes of `train_pairs`' contexts. kCentres is the least width of a register.
alignas(64) inline constexpr std::array<float, kLanes> kFirstLanes = {1.0f, 1.0f, 1.0f, 1.0f};
static_assert(kCentres == 4);

template <typename V>
struct KernelsFor {
  using Register = typename V::Register;
  static constexpr size_t kWidth = V::kWidth;
  // Registers of one pass over a row: eight hold 128 floats with AVX-512, so that a row of up to
  // that length is read in one pass.
  static constexpr size_t kPass = 8;

  static void sum_rows(const float* matrix, size_t stride, const int32_t* rows, size_t n,
                       float scale, float* out) {
    for (size_t at = 0; at < stride;) {
      const size_t registers = std::min(kPass, (stride - at) / kWidth);
      with_constant<kPass>(registers, [&](auto count) {
        std::array<Register, count> sum;
        for (auto& r : sum) r = V::zero();
        for (size_t k = 0; k < n; ++k) {
          const float* row = matrix + static_cast<size_t>(rows[k]) * stride + at;
          for (size_t c = 0; c < count; ++c) sum[c] = V::add(sum[c], V::load(row + c * kWidth));
        }
        const Register factor = V::broadcast(scale);
        for (size_t c = 0; c < count; ++c) {
          V::store(out + at + c * kWidth, V::multiply(sum[c], factor));
        }
      });
      at += registers * kWidth;
    }
  }

  static void add_to_rows(float* matrix, size_t stride, const int32_t* rows, size_t n,
                          const float* delta) {
    for (size_t at = 0; at < stride;) {
      const size_t registers = std::min(kPass, (stride - at) / kWidth);
      with_constant<kPass>(registers, [&](auto count) {
        std::array<Register, count> step;
        for (size_t c = 0; c < count; ++c) step[c] = V::load(delta + at + c * kWidth);
        for (size_t k = 0; k < n; ++k) {
          float* row = matrix + static_cast<size_t>(rows[k]) * stride + at;
          for (size_t c = 0; c < count; ++c) {
            V::store(row + c * kWidth, V::add(V::load(row + c * kWidth), step[c]));
          }
        }
      });
      at += registers * kWidth;
    }
  }

  static void dot_rows(const float* vector, const float* const* rows, size_t n, size_t stride,
                       float* out) {
    // Four rows at a time: enough independent sums to hide the latency of an FMA.
    for (size_t k = 0; k < n; k += 4) {
      const size_t block = std::min<size_t>(4, n - k);
      with_constant<4>(block, [&](auto count) {
        std::array<Register, count> sum;
        for (auto& r : sum) r = V::zero();
        for (size_t d = 0; d < stride; d += kWidth) {
          const Register x = V::load(vector + d);
          for (size_t c = 0; c < count; ++c) {
            sum[c] = V::fma(x, V::load(rows[k + c] + d), sum[c]);
          }
        }
        for (size_t c = 0; c < count; ++c) out[k + c] = V::sum(sum[c]);
      });
    }
  }

  // The lanes' sums of vector . row; two of them at a time hide part of the latency of an FMA.
  static inline __attribute__((always_inline)) Register dot_unpadded(const float* vector,
                                                                     const float* row, size_t dim) {
    Register even = V::zero(), odd = V::zero();
    size_t d = 0;
    for (; d + 2 * kWidth <= dim; d += 2 * kWidth) {
      even = V::fma(V::load(vector + d), V::load_unaligned(row + d), even);
      odd = V::fma(V::load(vector + d + kWidth), V::load_unaligned(row + d + kWidth), odd);
    }
    if (d + kWidth <= dim) {
      even = V::fma(V::load(vector + d), V::load_unaligned(row + d), even);
      d += kWidth;
    }
    if (d < dim) odd = V::fma(V::load(vector + d), V::load_first(row + d, dim - d), odd);
    return V::add(even, odd);
  }

  static void dot_unpadded_rows(const float* vector, const float* const* rows, size_t n, size_t dim,
                                float* out) {
    // One row after the other: a matrix of a gigabyte then comes at 26 GB/s, and at 12 with eight
    // rows side by side, which are eight streams. Sums of eight are taken together.
    constexpr size_t kRows = 8;
    for (size_t k = 0; k < n; k += kRows) {
      const size_t count = std::min(kRows, n - k);
      std::array<Register, kRows> sum;
      for (size_t c = 0; c < kRows; ++c) {
        sum[c] = dot_unpadded(vector, rows[k + std::min(c, count - 1)], dim);
      }
      alignas(64) std::array<float, kLanes> sums;
      V::sum_each(sum, sums.data());
      std::copy_n(sums.begin(), count, out + k);
    }
  }

  static void add_weighted_rows(float* out, const float* const* rows, const float* coefficients,
                                size_t n, size_t stride) {
    for (size_t at = 0; at < stride;) {
      const size_t registers = std::min(kPass, (stride - at) / kWidth);
      with_constant<kPass>(registers, [&](auto count) {
        std::array<Register, count> sum;
        for (size_t c = 0; c < count; ++c) sum[c] = V::load(out + at + c * kWidth);
        for (size_t k = 0; k < n; ++k) {
          const Register factor = V::broadcast(coefficients[k]);
          const float* row = rows[k] + at;
          for (size_t c = 0; c < count; ++c) {
            sum[c] = V::fma(factor, V::load(row + c * kWidth), sum[c]);
          }
        }
        for (size_t c = 0; c < count; ++c) V::store(out + at + c * kWidth, sum[c]);
      });
      at += registers * kWidth;
    }
  }

  // Columns of the next piece of a row that has `left` registers left. Never leaves one for last:
  // seven are 3 + 2 + 2, not 3 + 3 + 1.
  template <size_t kBlock>
  static size_t next_columns(size_t left) {
    return kBlock > 1 && left == kBlock + 1 ? kBlock - 1 : std::min(kBlock, left);
  }

  // Scores of kCount hidden vectors against kShared rows, and before those, if kOwn, against a row
  // of each one's own: eight sums, enough to hide the latency of an FMA.
  template <size_t kCount, size_t kShared, bool kOwn>
  static inline __attribute__((always_inline)) void score_rows(float* const* hidden,
                                                               float* const* own,
                                                               float* const* shared, size_t stride,
                                                               float* scores) {
    static_assert(8 % kCentres == 0 && kShared + kOwn <= 8 / kCentres);
    std::array<Register, 8> sum;
    for (auto& r : sum) r = V::zero();
    for (size_t d = 0; d < stride; d += kWidth) {
      std::array<Register, kShared> row;
      for (size_t r = 0; r < kShared; ++r) row[r] = V::load(shared[r] + d);
      for (size_t c = 0; c < kCount; ++c) {
        const Register x = V::load(hidden[c] + d);
        if (kOwn) sum[c] = V::fma(x, V::load(own[c] + d), sum[c]);
        for (size_t r = 0; r < kShared; ++r) {
          Register& s = sum[(r + (kOwn ? 1 : 0)) * kCentres + c];
          s = V::fma(x, row[r], s);
        }
      }
    }
    V::sum_each(sum, scores);
  }

  template <size_t kCount, size_t kColumns>
  static inline __attribute__((always_inline)) void move_columns(
      float* const* hidden, float* const* contexts, float* const* negatives, size_t n_negatives,
      const float* gradients, size_t at) {
    std::array<std::array<Register, kColumns>, kCount> h, moved;
    for (size_t c = 0; c < kCount; ++c) {
      for (size_t k = 0; k < kColumns; ++k) {
        moved[c][k] = h[c][k] = V::load(hidden[c] + at + k * kWidth);
      }
    }
    for (size_t r = 0; r < n_negatives; ++r) {
      float* row = negatives[r] + at;
      std::array<Register, kColumns> x, y;
      for (size_t k = 0; k < kColumns; ++k) y[k] = x[k] = V::load(row + k * kWidth);
      for (size_t c = 0; c < kCount; ++c) {
        const Register gradient = V::broadcast(gradients[(r + 1) * kCentres + c]);
        for (size_t k = 0; k < kColumns; ++k) {
          moved[c][k] = V::fma(gradient, x[k], moved[c][k]);
          y[k] = V::fma(gradient, h[c][k], y[k]);
        }
      }
      for (size_t k = 0; k < kColumns; ++k) V::store(row + k * kWidth, y[k]);
    }
    for (size_t c = 0; c < kCount; ++c) {
      float* row = contexts[c] + at;
      const Register gradient = V::broadcast(gradients[c]);
      for (size_t k = 0; k < kColumns; ++k) {
        const Register x = V::load(row + k * kWidth);
        V::store(row + k * kWidth, V::fma(gradient, h[c][k], x));
        V::store(hidden[c] + at + k * kWidth, V::fma(gradient, x, moved[c][k]));
      }
    }
  }

  static void train_pairs(float* const* hidden, float* const* contexts, size_t n_centres,
                          float* const* negatives, size_t n_negatives, size_t stride, float scale,
                          float* scores, float* gradients) {
    with_constant<kCentres>(n_centres, [&](auto count) {
      constexpr size_t kRows = 8 / kCentres;
      size_t done = std::min(kRows - 1, n_negatives);
      with_constant<kRows>(done + 1, [&](auto n_rows) {
        score_rows<count, n_rows - 1, true>(hidden, contexts, negatives, stride, scores);
      });
      while (done < n_negatives) {
        const size_t block = std::min(kRows, n_negatives - done);
        with_constant<kRows>(block, [&](auto n_rows) {
          score_rows<count, n_rows, false>(hidden, contexts, negatives + done, stride,
                                           scores + (done + 1) * kCentres);
        });
        done += block;
      }
      const Register factor = V::broadcast(-scale);
      const Register context_label = V::multiply(V::broadcast(scale), V::load(kFirstLanes.data()));
      for (size_t k = 0; k < (n_negatives + 1) * kCentres; k += kWidth) {
        const Register label = k == 0 ? context_label : V::zero();
        V::store(gradients + k, V::fma(factor, V::sigmoid(V::load(scores + k)), label));
      }
      for (size_t at = 0; at < stride;) {
        const size_t columns = next_columns<V::kPairColumns>((stride - at) / kWidth);
        with_constant<V::kPairColumns>(columns, [&](auto n_columns) {
          move_columns<count, n_columns>(hidden, contexts, negatives, n_negatives, gradients, at);
        });
        at += columns * kWidth;
      }
    });
  }

  static void transpose_tile(const float* tile, size_t stride, float* transposed) {
    for (size_t d = 0; d < stride; d += kLanes) {
      V::transpose(tile + d, stride, transposed + d * kLanes);
    }
  }

  // Lanes are centre words, so a dot product needs no horizontal sum: each step is one load of
  // the transposed tile and an FMA with one broadcast element for each of the rows.
  static void score_tile(const float* transposed, const float* const* rows, size_t n_rows,
                         size_t dim, size_t score_stride, float* scores) {
    constexpr size_t kGroups = kLanes / kWidth;
    constexpr size_t kRows = V::kRowBlock / (kGroups > 1 ? 2 : 1);
    for (size_t r = 0; r < n_rows; r += kRows) {
      with_constant<kRows>(std::min(kRows, n_rows - r), [&](auto count) {
        std::array<const float*, count> row;
        for (size_t c = 0; c < count; ++c) row[c] = rows[r + c];
        for (size_t g = 0; g < kGroups; ++g) {
          const float* column = transposed + g * kWidth;
          std::array<Register, count> sum;
          for (auto& s : sum) s = V::zero();
          for (size_t d = 0; d < dim; ++d) {
            const Register x = V::load(column + d * kLanes);
            for (size_t c = 0; c < count; ++c) {
              sum[c] = V::fma(x, V::broadcast(row[c][d]), sum[c]);
            }
          }
          for (size_t c = 0; c < count; ++c) {
            V::store(scores + (r + c) * score_stride + g * kWidth, sum[c]);
          }
        }
      });
    }
  }

  template <size_t kTargets, size_t kColumns>
  static inline __attribute__((always_inline)) void add_product_block(float* const* targets,
                                                                      const float* a, size_t a_row,
                                                                      size_t a_column,
                                                                      const float* const* sources,
                                                                      size_t n_sources, size_t at) {
    std::array<std::array<Register, kColumns>, kTargets> sum;
    for (auto& row : sum) {
      for (auto& r : row) r = V::zero();
    }
    for (size_t k = 0; k < n_sources; ++k) {
      const float* source = sources[k] + at;
      std::array<Register, kColumns> x;
      for (size_t c = 0; c < kColumns; ++c) x[c] = V::load(source + c * kWidth);
      const float* column = a + k * a_column;
      for (size_t m = 0; m < kTargets; ++m) {
        const Register factor = V::broadcast(column[m * a_row]);
        for (size_t c = 0; c < kColumns; ++c) sum[m][c] = V::fma(factor, x[c], sum[m][c]);
      }
    }
    // A row that stands in the block twice is read again after it was written: sums add up.
    for (size_t m = 0; m < kTargets; ++m) {
      for (size_t c = 0; c < kColumns; ++c) {
        float* target = targets[m] + at + c * kWidth;
        V::store(target, V::add(V::load(target), sum[m][c]));
      }
    }
  }

  static void add_products(float* const* targets, size_t n_targets, const float* a, size_t a_row,
                           size_t a_column, const float* const* sources, size_t n_sources,
                           size_t stride) {
    for (size_t m = 0; m < n_targets; m += V::kRowBlock) {
      with_constant<V::kRowBlock>(std::min(V::kRowBlock, n_targets - m), [&](auto count) {
        for (size_t at = 0; at < stride;) {
          const size_t columns = next_columns<V::kColumnBlock>((stride - at) / kWidth);
          with_constant<V::kColumnBlock>(columns, [&](auto width) {
            add_product_block<count, width>(targets + m, a + m * a_row, a_row, a_column, sources,
                                            n_sources, at);
          });
          at += columns * kWidth;
        }
      });
    }
  }

  static void logistic_gradient(float* values, size_t n, float label, float scale) {
    const Register factor = V::broadcast(-scale);
    const Register offset = V::broadcast(scale * label);
    for (size_t k = 0; k < n; k += kWidth) {
      V::store(values + k, V::fma(factor, V::sigmoid(V::load(values + k)), offset));
    }
  }

  static void negative_gradient(float* values, size_t n_rows, size_t n_lanes,
                                const float* weights) {
    const Register minus_one = V::broadcast(-1.0f);
    for (size_t i = 0; i < n_lanes; i += kWidth) {
      const Register factor = V::multiply(minus_one, V::load(weights + i));
      for (size_t r = 0; r < n_rows; ++r) {
        float* value = values + r * n_lanes + i;
        V::store(value, V::multiply(factor, V::sigmoid(V::load(value))));
      }
    }
  }

  static int32_t* number_buckets(const BucketCell* cells, const uint32_t* buckets, size_t n,
                                 uint32_t first, int32_t* out) {
    for (size_t k = 0; k < n; ++k) {
      const uint32_t bucket = buckets[k];
      const BucketCell& cell = cells[BucketCell::cell_of(bucket)];
      const size_t at = BucketCell::word_of(bucket);
      const uint64_t bits = cell.bits[at];
      const uint64_t before = bits & ((uint64_t{1} << bucket % 64) - 1);
      *out = static_cast<int32_t>(first + cell.n_before + cell.n_before_in_cell[at] +
                                  V::count_bits(before));
      out += bits >> bucket % 64 & 1;
    }
    return out;
  }

  static constexpr Kernels table(const char* name) {
    return {name,          sum_rows,          add_to_rows,
            dot_rows,      dot_unpadded_rows, add_weighted_rows,
            train_pairs,   transpose_tile,    score_tile,
            add_products,  logistic_gradient, negative_gradient,
            number_buckets};
  }
};

// load_first for types that have no faster one.
template <typename V>
typename V::Register load_first_plain(const float* p, size_t n) {
  alignas(64) std::array<float, V::kWidth> numbers{};
  std::copy_n(p, n, numbers.begin());
  return V::load(numbers.data());
}

// A kLanes x kLanes transposition for types that have no faster one.
inline void transpose_plain(const float* block, size_t stride, float* transposed) {
  for (size_t i = 0; i < kLanes; ++i) {
    for (size_t d = 0; d < kLanes; ++d) transposed[d * kLanes + i] = block[i * stride + d];
  }
}

// The polynomial of sigmoid's exponential: 2^f on [-0.5, 0.5] by its Taylor series in f ln 2;
// the largest relative error in float is 2e-7.
inline constexpr std::array<float, 7> kExp2Coefficients = {
    1.5403530e-4f, 1.3333558e-3f, 9.6181291e-3f, 5.5504109e-2f, 2.4022651e-1f, 6.9314718e-1f, 1.0f};
inline constexpr float kLog2E = 1.44269504f;
// Beyond this the sigmoid is 0 or 1 in float arithmetic up to 1e-13, and 2^x stays a normal number.
inline constexpr float kSigmoidRange = 30.0f;

}  // namespace brasa
