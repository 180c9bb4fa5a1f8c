#include "lookup/input_rows.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace brasa {

void CodeBook::add(const uint8_t* codes, float factor, float* out) const {
  const float* block = centroids.data();
  if (part_dim == 2) {  // fastText's default
    for (size_t d = 0; d + 1 < dim; d += 2, block += 2 * kCentroids) {
      const float* centroid = block + 2 * size_t{*codes++};
      out[d] += factor * centroid[0];
      out[d + 1] += factor * centroid[1];
    }
    if (dim % 2 == 1) out[dim - 1] += factor * block[*codes];
    return;
  }
  for (size_t begin = 0; begin < dim; begin += part_dim) {
    const size_t width = part_dim < dim - begin ? part_dim : dim - begin;
    const float* centroid = block + width * size_t{*codes++};
    for (size_t d = 0; d < width; ++d) out[begin + d] += factor * centroid[d];
    block += width * kCentroids;
  }
}

InputRows::InputRows(std::span<const uint8_t> codes, const CodeBook& book,
                     std::span<const uint8_t> norm_codes, const CodeBook& norms)
    : codes_(codes), norm_codes_(norm_codes), book_(book), norms_(norms), dim_(book.dim) {
  const auto fits = [](const CodeBook& b) {
    return b.dim > 0 && b.part_dim > 0 && b.centroids.size() == kCentroids * b.dim;
  };
  if (!fits(book) || codes.size() % book.n_parts() != 0) {
    throw std::invalid_argument("codes and code book do not agree");
  }
  n_parts_ = book.n_parts();
  n_rows_ = codes.size() / n_parts_;
  const bool norms_fit = norm_codes.size() == n_rows_ && fits(norms) && norms.dim == 1;
  if (!norm_codes.empty() && !norms_fit) {
    throw std::invalid_argument("norm codes and rows do not agree");
  }
}

// Some rows are asked for before the first of them is read: one that is not in the cache takes
// 100 ns to come.
void InputRows::add(std::span<const size_t> rows, std::span<float> out) const {
  constexpr size_t kAhead = 64;
  std::array<const float*, kAhead> numbers;
  for (size_t first = 0; first < rows.size(); first += kAhead) {
    const std::span some = rows.subspan(first, std::min(kAhead, rows.size() - first));
    for (const size_t row : some) prefetch(row);
    if (rows_.data == nullptr) {
      for (const size_t row : some) add_codes(row, out.data());
      continue;
    }
    for (size_t i = 0; i < some.size(); ++i) numbers[i] = rows_.row(some[i]);
    add_rows({numbers.data(), some.size()}, out);
  }
}

void InputRows::add_codes(size_t row, float* out) const {
  const float norm = norm_codes_.empty() ? 1.0F : norms_.centroids[norm_codes_[row]];
  book_.add(codes_.data() + row * n_parts_, norm, out);
}

void InputRows::prefetch(size_t row) const {
  if (rows_.data == nullptr) {
    __builtin_prefetch(codes_.data() + row * n_parts_);
    return;
  }
  prefetch_row(rows_.row(row), dim_);
}

}  // namespace brasa
