// The input matrix of a classifier: rows of floats, or the codes of a product quantizer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "lookup/rows.h"

namespace brasa {

inline constexpr size_t kCentroids = 256;

// Vectors of `dim` numbers, cut into parts of `part_dim`, the last of which may be shorter; for
// each part in turn, 256 centroids. Nothing of a file has to be trusted: a code is a byte.
struct CodeBook {
  std::span<const float> centroids;  // kCentroids * dim
  size_t dim = 0;
  size_t part_dim = 1;

  size_t n_parts() const { return (dim + part_dim - 1) / part_dim; }
  // Adds factor times the vector that the codes stand for.
  void add(const uint8_t* codes, float factor, float* out) const;
};

class InputRows {
 public:
  explicit InputRows(const RowView& rows) : rows_(rows), n_rows_(rows.n_rows), dim_(rows.dim) {}
  // `norm_codes` is empty, or has a code in `norms` (a book of dimension 1) for each row.
  // Throws std::invalid_argument if the sizes do not agree.
  InputRows(std::span<const uint8_t> codes, const CodeBook& book,
            std::span<const uint8_t> norm_codes, const CodeBook& norms);

  size_t n_rows() const { return n_rows_; }
  size_t dim() const { return dim_; }
  void add(std::span<const size_t> rows, std::span<float> out) const;

 private:
  void add_codes(size_t row, float* out) const;
  void prefetch(size_t row) const;

  RowView rows_;  // without data where rows are codes
  std::span<const uint8_t> codes_, norm_codes_;
  CodeBook book_, norms_;
  size_t n_rows_, dim_, n_parts_ = 0;
};

}  // namespace brasa
