// The dictionary of fastText's files, for brasa.formats.fasttext.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "arrays.h"
#include "bindings.h"
#include "formats/fasttext_dictionary.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace brasa {
namespace {

nb::tuple parse(const Vector<const uint8_t>& bytes, size_t n_entries, uint8_t kind,
                size_t first_entry) {
  DictionaryPart part;
  {
    const nb::gil_scoped_release release;
    part = parse_dictionary(view(bytes), n_entries, kind, first_entry);
  }
  return nb::make_tuple(to_numpy(std::move(part.arena)), to_numpy(std::move(part.offsets)),
                        to_numpy(std::move(part.counts)), part.n_bytes);
}

nb::bytes format(const Vector<const uint8_t>& arena, const Vector<const int64_t>& offsets,
                 const Vector<const int64_t>& counts, uint8_t kind, size_t first, size_t last) {
  if (first > last || last > counts.size() || offsets.size() != counts.size() + 1) {
    throw std::invalid_argument("no such entries");
  }
  std::string bytes;
  {
    const nb::gil_scoped_release release;
    bytes = format_dictionary(view(arena), view(offsets), view(counts), kind, first, last);
  }
  return nb::bytes(bytes.data(), bytes.size());
}

void translate_errors(nb::module_& module) {
  static nb::object dictionary_error =
      nb::steal(PyErr_NewException("brasa._native.DictionaryError", PyExc_ValueError, nullptr));
  module.attr("DictionaryError") = dictionary_error;
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const DictionaryError& error) {
      const nb::tuple arguments =
          nb::make_tuple(error.field(), error.offset(), error.expected(), error.found());
      PyErr_SetObject(dictionary_error.ptr(), arguments.ptr());
    }
  });
}

}  // namespace

void bind_fasttext(nb::module_& module) {
  translate_errors(module);
  module.def("parse_dictionary", &parse, "bytes"_a.noconvert(), "n_entries"_a, "kind"_a,
             "first_entry"_a);
  module.def("format_dictionary", &format, "arena"_a.noconvert(), "offsets"_a.noconvert(),
             "counts"_a.noconvert(), "kind"_a, "first"_a, "last"_a);
}

}  // namespace brasa
