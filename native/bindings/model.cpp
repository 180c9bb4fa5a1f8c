// Vector look-up and the text format, for brasa.word_vectors and brasa.formats.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "formats/vectors_text.h"
#include "lookup/bucket_index.h"
#include "lookup/word_composer.h"
#include "parallel/parallel_for.h"
#include "quantized_rows.h"
#include "words.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace brasa {
namespace {

InputRows input_rows(const Rows& rows) { return InputRows(view(rows)); }
InputRows input_rows(const QuantizedRows& rows) { return rows.rows(); }

template <typename Matrix>
void compose(const Vector<const uint8_t>& arena, const Vector<const int64_t>& offsets,
             const Vector<const int32_t>& indices, const Matrix& rows, size_t n_words,
             const Vector<const uint32_t>& bucket_ids, int min_char, int max_char, uint32_t buckets,
             nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu> out) {
  const WordSpans words{view(arena), view(offsets)};
  const InputRows matrix = input_rows(rows);
  if (indices.size() != words.size() || out.shape(0) != words.size() ||
      out.shape(1) != matrix.dim() || n_words > matrix.n_rows()) {
    throw std::invalid_argument("shapes do not agree");
  }
  const NgramRows ngrams{min_char, max_char, buckets, view(bucket_ids)};
  const std::span<float> result{out.data(), out.size()};
  const nb::gil_scoped_release release;
  compose_vectors(words, view(indices), matrix, n_words, ngrams, result);
}

// Lines in the order of the words, in as many byte strings as there were threads.
nb::list format_lines(const Vector<const uint8_t>& arena, const Vector<const int64_t>& offsets,
                      size_t first, const Rows& vectors) {
  const WordSpans words{view(arena), view(offsets)};
  const RowView rows = view(vectors);
  if (first > words.size() || rows.n_rows > words.size() - first) {
    throw std::invalid_argument("more rows than words");
  }
  constexpr size_t kGrain = 256;
  std::vector<std::string> parts(rows.n_rows / kGrain + 1);
  {
    const nb::gil_scoped_release release;
    parallel_for(parts.size(), 4, [&](size_t begin, size_t end) {
      for (size_t part = begin; part < end; ++part) {
        const size_t start = part * kGrain;
        const size_t count = std::min(kGrain, rows.n_rows - start);
        const RowView some{rows.row(start), count, rows.dim, rows.stride};
        append_vector_lines(words, first + start, some, parts[part]);
      }
    });
  }
  nb::list lines;
  for (const std::string& part : parts) lines.append(nb::bytes(part.data(), part.size()));
  return lines;
}

// The vectors of one word after the other: what a loop over words calls. Keeps its arrays.
class BoundComposer {
 public:
  BoundComposer(Rows rows, size_t n_words, Vector<const uint32_t> bucket_ids, int min_char,
                int max_char, uint32_t buckets)
      : rows_(std::move(rows)),
        bucket_ids_(std::move(bucket_ids)),
        dim_(rows_.shape(1)),
        ngrams_{min_char, max_char, buckets, view(bucket_ids_)},
        bucket_index_(ngrams_),
        composer_(input_rows(rows_), n_words, ngrams_, &bucket_index_) {
    if (n_words > rows_.shape(0)) throw std::invalid_argument("shapes do not agree");
  }
  BoundComposer(const BoundComposer&) = delete;
  BoundComposer& operator=(const BoundComposer&) = delete;

  // False for what is no text. With Python's lock: it takes 1 us, and the buffers are of all
  // threads.
  bool compose(const nb::str& word, int32_t index,
               nb::ndarray<float, nb::ndim<1>, nb::c_contig, nb::device::cpu> out) {
    if (out.size() != dim_) throw std::invalid_argument("shapes do not agree");
    const StringBytes bytes(word);
    if (bytes.encodable()) composer_.compose(bytes.view(), index, {out.data(), out.size()});
    return bytes.encodable();
  }

 private:
  Rows rows_;
  Vector<const uint32_t> bucket_ids_;
  size_t dim_;
  NgramRows ngrams_;
  BucketIndex bucket_index_;
  WordComposer composer_;
};

}  // namespace

void bind_model(nb::module_& module) {
  const auto bind_compose = [&](auto function) {
    module.def("compose_vectors", function, "arena"_a, "offsets"_a, "indices"_a, "rows"_a,
               "n_words"_a, "bucket_ids"_a, "min_char"_a, "max_char"_a, "buckets"_a,
               "out"_a.noconvert());
  };
  bind_compose(&compose<QuantizedRows>);
  bind_compose(&compose<Rows>);
  nb::class_<BoundComposer>(module, "WordComposer")
      .def(nb::init<Rows, size_t, Vector<const uint32_t>, int, int, uint32_t>(), "rows"_a,
           "n_words"_a, "bucket_ids"_a, "min_char"_a, "max_char"_a, "buckets"_a)
      .def("compose", &BoundComposer::compose, "word"_a, "index"_a, "out"_a.noconvert());
  module.def(
      "largest_of",
      [](const Rows& rows) {
        const RowView matrix = view(rows);
        const nb::gil_scoped_release release;
        return largest_of(matrix);
      },
      "rows"_a, "The largest absolute value; NaN if there is one, 0 of no rows.");
  module.def(
      "pack_rows",
      [](const Rows& rows,
         const nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& out) {
        const RowView matrix = view(rows);
        if (out.shape(0) != matrix.n_rows || out.shape(1) != matrix.dim) {
          throw std::invalid_argument("shapes do not agree");
        }
        float* const data = out.data();
        const nb::gil_scoped_release release;
        pack_rows(matrix, data);
      },
      "rows"_a, "out"_a.noconvert(), "Copy rows without what they are padded with.");
  module.def("format_vector_lines", &format_lines, "arena"_a, "offsets"_a, "first"_a, "vectors"_a);
}

}  // namespace brasa
