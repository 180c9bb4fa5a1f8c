// Product quantization, for brasa.quantization.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "quantize/product_quantizer.h"
#include "quantized_rows.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace brasa {
namespace {

RowView view_parts(const Rows& rows, size_t part_dim) {
  const RowView matrix = view(rows);
  if (part_dim < 1 || part_dim > matrix.dim) {
    throw std::invalid_argument("parts have from one to all of the numbers of a row");
  }
  return matrix;
}

NumpyVector<float> train(const Rows& rows, size_t part_dim, uint32_t seed) {
  const RowView matrix = view_parts(rows, part_dim);
  if (matrix.n_rows < kCentroids || matrix.n_rows > std::numeric_limits<int32_t>::max()) {
    throw std::invalid_argument("at least 256 rows, and fewer than 2^31");
  }
  std::vector<float> centroids;
  {
    const nb::gil_scoped_release release;
    centroids = train_centroids(matrix, part_dim, seed);
  }
  return to_numpy(std::move(centroids));
}

NumpyVector<uint8_t> encode(const Rows& rows, size_t part_dim,
                            const Vector<const float>& centroids) {
  const RowView matrix = view_parts(rows, part_dim);
  if (centroids.size() != kCentroids * matrix.dim) {
    throw std::invalid_argument("256 centroids for each part");
  }
  const CodeBook book{view(centroids), matrix.dim, part_dim};
  const size_t n_codes = matrix.n_rows * book.n_parts();
  auto codes = std::make_unique<uint8_t[]>(n_codes);
  {
    const nb::gil_scoped_release release;
    encode_rows(matrix, book, {codes.get(), n_codes});
  }
  return to_numpy(std::move(codes), n_codes);
}

}  // namespace

void bind_quantize(nb::module_& module) {
  module.def("train_centroids", &train, "rows"_a, "part_dim"_a, "seed"_a,
             "For each part in turn its 256 centroids, by k-means.");
  module.def("encode_rows", &encode, "rows"_a, "part_dim"_a, "centroids"_a,
             "For each row the nearest centroid of each part.");
  nb::class_<QuantizedRows>(module, "QuantizedRows")
      .def(
          "__init__",
          [](QuantizedRows* self, const decltype(QuantizedRows::codes)& codes,
             const Vector<const float>& centroids, size_t dim, size_t part_dim,
             std::optional<Vector<const uint8_t>> norm_codes,
             std::optional<Vector<const float>> norm_centroids) {
            new (self) QuantizedRows{codes, centroids, dim, part_dim, norm_codes, norm_centroids};
          },
          "codes"_a.noconvert(), "centroids"_a.noconvert(), "dim"_a, "part_dim"_a,
          "norm_codes"_a.noconvert().none(), "norm_centroids"_a.noconvert().none());
}

}  // namespace brasa
