// Reading other programs' word vectors, for brasa.formats.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"
#include "formats/vectors_parse.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace brasa {
namespace {

using Bytes = nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename T>
using Array = nb::ndarray<nb::numpy, T, nb::ndim<1>>;

std::string_view as_text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Gives the memory of a string or vector to NumPy.
template <typename T, typename Container>
Array<T> to_numpy(Container&& values) {
  auto* owned = new Container(std::forward<Container>(values));
  nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<Container*>(p); });
  return Array<T>(reinterpret_cast<T*>(owned->data()), {owned->size()}, owner);
}

nb::tuple parse_lines(const Bytes& bytes, std::size_t dim) {
  if (dim == 0) throw std::invalid_argument("lines have at least one number");
  VectorLines lines;
  {
    const nb::gil_scoped_release release;
    lines = parse_vector_lines(as_text(bytes), dim);
  }
  float* data = lines.rows.release();
  nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<float*>(p); });
  const nb::ndarray<nb::numpy, float, nb::ndim<2>> rows(data, {lines.n_rows, dim}, owner);
  return nb::make_tuple(rows, to_numpy<std::uint8_t>(std::move(lines.words)),
                        to_numpy<std::int64_t>(std::move(lines.ends)), lines.consumed,
                        lines.n_lines, nb::bytes(lines.problem.data(), lines.problem.size()));
}

nb::tuple parse_binary(const Bytes& bytes, std::size_t dim, std::size_t max_words) {
  if (dim == 0) throw std::invalid_argument("vectors have at least one number");
  VectorRecords records;
  {
    const nb::gil_scoped_release release;
    records = parse_vector_records(as_text(bytes), dim, max_words);
  }
  const std::size_t n_rows = records.ends.size();
  return nb::make_tuple(n_rows, to_numpy<float>(std::move(records.rows)),
                        to_numpy<std::uint8_t>(std::move(records.words)),
                        to_numpy<std::int64_t>(std::move(records.ends)), records.consumed,
                        nb::bytes(records.problem.data(), records.problem.size()));
}

}  // namespace

void bind_vectors(nb::module_& module) {
  module.def("parse_vector_lines", &parse_lines, "text"_a, "dim"_a,
             "Rows, bytes of the words, where each ends, bytes and lines read, what is wrong.");
  module.def("parse_vector_records", &parse_binary, "data"_a, "dim"_a, "max_words"_a,
             "Words read, rows, bytes of the words, where each ends, bytes read, what is wrong.");
}

}  // namespace brasa
