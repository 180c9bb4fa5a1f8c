#include "predict/input_rows.h"

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
  n_rows_ = codes.size() / book.n_parts();
  const bool norms_fit = norm_codes.size() == n_rows_ && fits(norms) && norms.dim == 1;
  if (!norm_codes.empty() && !norms_fit) {
    throw std::invalid_argument("norm codes and rows do not agree");
  }
}

void InputRows::add(size_t row, float* out) const {
  if (rows_.data == nullptr) {
    const float norm = norm_codes_.empty() ? 1.0F : norms_.centroids[norm_codes_[row]];
    book_.add(codes_.data() + row * book_.n_parts(), norm, out);
    return;
  }
  const float* numbers = rows_.row(row);
  for (size_t d = 0; d < dim_; ++d) out[d] += numbers[d];
}

void InputRows::prefetch(size_t row) const {
  if (rows_.data == nullptr) {
    __builtin_prefetch(codes_.data() + row * book_.n_parts());
    return;
  }
  const float* numbers = rows_.row(row);
  for (size_t d = 0; d < dim_; d += 16) __builtin_prefetch(numbers + d);
}

}  // namespace brasa
