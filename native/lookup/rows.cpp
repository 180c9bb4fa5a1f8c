#include "lookup/rows.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <mutex>

#include "parallel/parallel_for.h"

namespace brasa {
namespace {

constexpr size_t kNumbersPerThread = 1 << 18;  // 0.1 ms

size_t rows_per_thread(const RowView& rows) { return kNumbersPerThread / (rows.dim + 1) + 1; }

}  // namespace

// Four rows in one pass over the sums; each sum adds them in their order.
void add_rows(std::span<const float* const> rows, std::span<float> sums) {
  float* const __restrict out = sums.data();
  const size_t dim = sums.size();
  size_t i = 0;
  for (; i + 4 <= rows.size(); i += 4) {
    const float *a = rows[i], *b = rows[i + 1], *c = rows[i + 2], *e = rows[i + 3];
    for (size_t d = 0; d < dim; ++d) out[d] = out[d] + a[d] + b[d] + c[d] + e[d];
  }
  for (; i < rows.size(); ++i) {
    const float* row = rows[i];
    for (size_t d = 0; d < dim; ++d) out[d] += row[d];
  }
}

void write_mean(std::span<const float* const> rows, std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0F);
  add_rows(rows, out);
  divide(out, rows.size());
}

void divide(std::span<float> sum, size_t n_rows) {
  if (n_rows < 2) return;
  const float scale = 1.0F / static_cast<float>(n_rows);
  for (float& value : sum) value *= scale;
}

// Bits without the sign are ordered as absolute values are, and those of NaN are above all others.
float largest_of(const RowView& rows) {
  int32_t largest = 0;
  std::mutex mutex;
  parallel_for(rows.n_rows, rows_per_thread(rows), [&](size_t begin, size_t end) {
    int32_t here = 0;
    for (size_t r = begin; r < end; ++r) {
      const float* row = rows.row(r);
      for (size_t d = 0; d < rows.dim; ++d) {
        here = std::max(here, std::bit_cast<int32_t>(row[d]) & 0x7fffffff);
      }
    }
    const std::lock_guard lock(mutex);
    largest = std::max(largest, here);
  });
  return std::bit_cast<float>(largest);
}

void pack_rows(const RowView& rows, float* out) {
  parallel_for(rows.n_rows, rows_per_thread(rows), [&](size_t begin, size_t end) {
    for (size_t r = begin; r < end; ++r) std::copy_n(rows.row(r), rows.dim, out + r * rows.dim);
  });
}

}  // namespace brasa
