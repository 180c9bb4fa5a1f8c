// The arrays of a quantized matrix, as Python holds them.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>

#include "arrays.h"
#include "lookup/input_rows.h"

namespace brasa {

// A quantized matrix's arrays.
struct QuantizedRows {
  nanobind::ndarray<const uint8_t, nanobind::ndim<2>, nanobind::c_contig, nanobind::device::cpu>
      codes;
  Vector<const float> centroids;
  size_t dim = 0;
  size_t part_dim = 0;
  std::optional<Vector<const uint8_t>> norm_codes;
  std::optional<Vector<const float>> norm_centroids;

  InputRows rows() const {
    if (part_dim == 0) throw std::invalid_argument("part_dim must be at least 1");
    const CodeBook book{view(centroids), dim, part_dim};
    if (codes.shape(1) != book.n_parts() || norm_codes.has_value() != norm_centroids.has_value()) {
      throw std::invalid_argument("codes and code book do not agree");
    }
    const std::span<const uint8_t> all{codes.data(), codes.size()};
    if (!norm_codes) return {all, book, {}, {}};
    return {all, book, view(*norm_codes), {view(*norm_centroids), 1, 1}};
  }
};

}  // namespace brasa
