#include "lookup/rows.h"

#include <algorithm>

namespace brasa {

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

}  // namespace brasa
