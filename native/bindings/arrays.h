// NumPy arrays in and out of native code.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lookup/rows.h"
#include "lookup/word_spans.h"

namespace brasa {

template <typename T>
using Vector = nanobind::ndarray<T, nanobind::ndim<1>, nanobind::c_contig, nanobind::device::cpu>;
// Rows may be padded, and of a larger matrix.
using Rows = nanobind::ndarray<const float, nanobind::ndim<2>, nanobind::device::cpu>;
template <typename T>
using NumpyVector = nanobind::ndarray<nanobind::numpy, T, nanobind::ndim<1>>;
using NumpyRows = nanobind::ndarray<nanobind::numpy, float, nanobind::ndim<2>>;

template <typename T>
std::span<T> view(const Vector<T>& array) {
  return {array.data(), array.size()};
}

inline RowView view(const Rows& rows) {
  if (rows.shape(0) > 0 && rows.shape(1) > 1 && rows.stride(1) != 1) {
    throw std::invalid_argument("the numbers of a row must be next to each other");
  }
  if (rows.stride(0) < 0) throw std::invalid_argument("rows must be in ascending order");
  return {rows.data(), rows.shape(0), rows.shape(1), static_cast<size_t>(rows.stride(0))};
}

// Gives the memory of a vector, or of a string as bytes, to NumPy.
template <typename T>
NumpyVector<T> to_numpy(std::vector<T>&& values) {
  auto* owned = new std::vector<T>(std::move(values));
  nanobind::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return {owned->data(), {owned->size()}, owner};
}

inline NumpyVector<uint8_t> to_numpy(std::string&& bytes) {
  auto* owned = new std::string(std::move(bytes));
  nanobind::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::string*>(p); });
  return {reinterpret_cast<uint8_t*>(owned->data()), {owned->size()}, owner};
}

template <typename T>
nanobind::capsule owner_of(std::unique_ptr<T[]> values) {
  return {values.release(), [](void* p) noexcept { delete[] static_cast<T*>(p); }};
}

template <typename T>
NumpyVector<T> to_numpy(std::unique_ptr<T[]> values, size_t size) {
  T* data = values.get();
  return {data, {size}, owner_of(std::move(values))};
}

inline NumpyRows to_numpy(std::unique_ptr<float[]> values, size_t n_rows, size_t dim) {
  float* data = values.get();
  return {data, {n_rows, dim}, owner_of(std::move(values))};
}

}  // namespace brasa
