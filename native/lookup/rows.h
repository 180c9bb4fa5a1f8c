// Rows of a matrix, and their sums.
#pragma once

#include <cstddef>
#include <span>

namespace brasa {

// A matrix whose rows may be padded.
struct RowView {
  const float* data = nullptr;
  size_t n_rows = 0;
  size_t dim = 0;
  size_t stride = 0;

  const float* row(size_t index) const { return data + index * stride; }
};

// Fetches a row that is to be read soon: one that is not in the cache takes 100 ns to come.
inline void prefetch_row(const float* row, size_t dim) {
  for (size_t d = 0; d < dim; d += 16) __builtin_prefetch(row + d);
  __builtin_prefetch(row + dim - 1);  // of a row that begins inside a cache line, too
}

// Adds the rows to `sums`, one after the other.
void add_rows(std::span<const float* const> rows, std::span<float> sums);

// Writes the mean of the rows; zeros where there is none.
void write_mean(std::span<const float* const> rows, std::span<float> out);

// Turns the sum of `n_rows` rows into their mean.
void divide(std::span<float> sum, size_t n_rows);

// The largest absolute value; NaN if there is one, 0 of no rows. By all threads.
float largest_of(const RowView& rows);

// Writes the rows without what they are padded with: n_rows x dim. By all threads.
void pack_rows(const RowView& rows, float* out);

}  // namespace brasa
