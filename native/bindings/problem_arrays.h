// Arrays of Python's as training takes them, and the checks that they need.
#pragma once

#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

#include "arrays.h"
#include "train/problem.h"
#include "train/span.h"

namespace brasa {

namespace nb = nanobind;

// A matrix whose rows may be padded: shape (n_rows, dim), row stride a multiple of kRowAlign.
using Matrix = nb::ndarray<float, nb::ndim<2>, nb::device::cpu>;

inline HogwildMatrix padded_rows(const Matrix& matrix, const char* name) {
  const auto stride = static_cast<size_t>(matrix.stride(0));
  if (matrix.stride(0) < 0 || matrix.stride(1) != 1 || stride % kRowAlign != 0 ||
      stride < matrix.shape(1) ||
      reinterpret_cast<uintptr_t>(matrix.data()) % (kRowAlign * sizeof(float)) != 0) {
    throw std::invalid_argument(std::string(name) +
                                ": rows must be contiguous, padded and aligned to 64 bytes");
  }
  return {matrix.data(), matrix.shape(0), stride};
}

inline void check_range(std::span<const int32_t> values, size_t limit, const char* name) {
  // Without branches, which compilers turn into vectors: the sign of v is set where it is negative,
  // that of limit - 1 - v where it is too large.
  const auto last = static_cast<uint32_t>(
      std::min<size_t>(limit, size_t{std::numeric_limits<int32_t>::max()} + 1) - 1);
  uint32_t signs = limit == 0 && !values.empty() ? ~uint32_t{0} : 0;
  for (const int32_t value : values) {
    const auto v = static_cast<uint32_t>(value);
    signs |= v | (last - v);
  }
  if (signs >> 31 != 0) {
    throw std::invalid_argument(std::string(name) + ": an index is out of range");
  }
}

inline void check_offsets(std::span<const int64_t> offsets, size_t n, size_t end,
                          const char* name) {
  if (offsets.size() != n + 1 || offsets.front() != 0 ||
      offsets.back() != static_cast<int64_t>(end) || !std::ranges::is_sorted(offsets)) {
    throw std::invalid_argument(std::string(name) + ": not the offsets of these rows");
  }
}

inline const Kernels& kernels_named(const std::string& name) {
  const Kernels* kernels = find_kernels(name);
  if (kernels == nullptr) throw std::invalid_argument("no kernels for instruction set " + name);
  return *kernels;
}

// Trains blocks first .. last - 1 of `total` by train(), without Python's lock.
template <typename Train>
nb::tuple train_blocks(uint64_t first, uint64_t last, uint64_t total, unsigned n_threads,
                       uint64_t& done, const Train& train) {
  if (first >= last || last > total || n_threads == 0) {
    throw std::invalid_argument("not a span of this problem");
  }
  SpanResult result;
  {
    const nb::gil_scoped_release unlocked;
    result = train();
  }
  done = last;
  return nb::make_tuple(result.loss, result.n_pairs, result.finite);
}

}  // namespace brasa
