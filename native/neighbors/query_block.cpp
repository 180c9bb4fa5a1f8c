#include "neighbors/query_block.h"

#include <array>
#include <cmath>

namespace brasa {

double dot(const float* a, const float* b, size_t dim) {
  // Independent sums, which the compiler keeps in vector registers.
  constexpr size_t kSums = 8;
  std::array<double, kSums> sums{};
  size_t d = 0;
  for (; d + kSums <= dim; d += kSums) {
    for (size_t i = 0; i < kSums; ++i) sums[i] += double{a[d + i]} * double{b[d + i]};
  }
  for (; d < dim; ++d) sums[0] += double{a[d]} * double{b[d]};
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

QueryBlock::QueryBlock(const RowView& queries, size_t first, size_t size, const Kernels& kernels)
    : kernels_(kernels),
      size_(size),
      dim_(queries.dim),
      stride_(round_up(queries.dim, kRowAlign)),
      units_(round_up(size, kLanes) * stride_),
      transposed_(few() ? 0 : round_up(size, kLanes) * stride_) {
  for (size_t q = 0; q < size; ++q) {
    const float* query = queries.row(first + q);
    const double norm = std::sqrt(dot(query, query, dim_));
    float* unit = units_.data() + q * stride_;
    for (size_t d = 0; d < dim_; ++d) unit[d] = static_cast<float>(double{query[d]} / norm);
  }
  if (few()) return;
  for (size_t q = 0; q < size; q += kLanes) {
    kernels.transpose_tile(units_.data() + q * stride_, stride_, transposed_.data() + q * stride_);
  }
}

void QueryBlock::score(const float* const* rows, size_t n_rows, float* scores) const {
  if (few()) {
    for (size_t q = 0; q < size_; ++q) {
      kernels_.dot_unpadded_rows(units_.data() + q * stride_, rows, n_rows, dim_,
                                 scores + q * kBlockRows);
    }
    return;
  }
  for (size_t q = 0; q < size_; q += kLanes) {
    kernels_.score_tile(transposed_.data() + q * stride_, rows, n_rows, dim_, row_step(),
                        scores + q);
  }
}

}  // namespace brasa
