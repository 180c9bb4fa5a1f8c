// Reading other programs' word vectors, for brasa.formats.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "formats/finalfusion.h"
#include "formats/floret.h"
#include "formats/floret_table.h"
#include "formats/vectors_parse.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace brasa {
namespace {

using Bytes = Vector<const std::uint8_t>;

std::string_view as_text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

nb::tuple parse_lines(const Bytes& bytes, std::size_t dim) {
  if (dim == 0) throw std::invalid_argument("lines have at least one number");
  VectorLines lines;
  {
    const nb::gil_scoped_release release;
    lines = parse_vector_lines(as_text(bytes), dim);
  }
  return nb::make_tuple(to_numpy(std::move(lines.rows), lines.n_rows, dim),
                        to_numpy(std::move(lines.words)), to_numpy(std::move(lines.ends)),
                        lines.consumed, lines.n_lines,
                        nb::bytes(lines.problem.data(), lines.problem.size()));
}

nb::tuple parse_binary(const Bytes& bytes, std::size_t dim, std::size_t max_words) {
  if (dim == 0) throw std::invalid_argument("vectors have at least one number");
  VectorRecords records;
  {
    const nb::gil_scoped_release release;
    records = parse_vector_records(as_text(bytes), dim, max_words);
  }
  const std::size_t n_rows = records.ends.size();
  return nb::make_tuple(n_rows, to_numpy(std::move(records.rows)),
                        to_numpy(std::move(records.words)), to_numpy(std::move(records.ends)),
                        records.consumed,
                        nb::bytes(records.problem.data(), records.problem.size()));
}

FloretHashing make_hashing(int min_char, int max_char, int hash_count, std::uint32_t seed,
                           std::uint32_t buckets, std::string begin, std::string end) {
  if (hash_count < 1 || hash_count > 4 || buckets == 0) {
    throw std::invalid_argument("1 to 4 hashes, and at least one bucket");
  }
  return {min_char, max_char, hash_count, seed, buckets, std::move(begin), std::move(end)};
}

void compose(const FloretHashing& hashing, const Vector<const std::uint8_t>& arena,
             const Vector<const std::int64_t>& offsets, const Vector<const std::int32_t>& indices,
             const Rows& rows, std::size_t n_words,
             nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu> out) {
  const WordSpans words{view(arena), view(offsets)};
  const RowView table = view(rows);
  if (indices.size() != words.size() || out.shape(0) != words.size() || out.shape(1) != table.dim ||
      n_words > table.n_rows || table.n_rows - n_words != hashing.buckets) {
    throw std::invalid_argument("shapes do not agree");
  }
  const std::span<float> result{out.data(), out.size()};
  const nb::gil_scoped_release release;
  compose_floret(words, view(indices), table, n_words, hashing, result);
}

// Each part of a word and its rows in the table.
nb::list parts_of(const FloretHashing& hashing, const nb::bytes& word) {
  nb::list parts;
  std::string scratch;
  for_each_floret_part({word.c_str(), word.size()}, hashing, scratch, [&](std::string_view part) {
    const Hash128 hash = murmur_hash(part, hashing.seed);
    nb::list rows;
    for (int i = 0; i < hashing.hash_count; ++i) rows.append(hash.part(i) % hashing.buckets);
    parts.append(nb::make_tuple(nb::bytes(part.data(), part.size()), rows));
  });
  return parts;
}

nb::tuple rows_of_words(const FloretHashing& hashing, const Vector<const std::uint8_t>& arena,
                        const Vector<const std::int64_t>& offsets) {
  const WordSpans words{view(arena), view(offsets)};
  FloretRows found;
  {
    const nb::gil_scoped_release release;
    found = floret_rows(words, hashing);
  }
  const auto n_rows = static_cast<std::size_t>(found.offsets.back());
  return nb::make_tuple(to_numpy(std::move(found.offsets)),
                        to_numpy(std::move(found.rows), n_rows));
}

nb::object fit_table(const FloretHashing& hashing, const Vector<const std::uint8_t>& arena,
                     const Vector<const std::int64_t>& offsets, const Rows& vectors,
                     const Rows& rows, const Vector<const std::uint32_t>& bucket_ids,
                     std::uint32_t ngram_buckets, double rows_per_item) {
  const WordSpans words{view(arena), view(offsets)};
  const RowView targets = view(vectors), matrix = view(rows);
  if (targets.n_rows != words.size() || targets.dim != matrix.dim || ngram_buckets == 0 ||
      matrix.n_rows < words.size()) {
    throw std::invalid_argument("shapes do not agree");
  }
  FloretHashing sized = hashing;
  std::optional<std::vector<float>> table;
  {
    const nb::gil_scoped_release release;
    const NgramRows ngrams{hashing.min_char, hashing.max_char, ngram_buckets, view(bucket_ids)};
    const FloretItems items(words, targets, matrix, ngrams, hashing);
    const double n_rows = static_cast<double>(items.size()) * rows_per_item + 16;
    sized.buckets = static_cast<std::uint32_t>(std::min(n_rows, 2147483647.0));
    table = items.solve(sized);
  }
  if (!table) return nb::none();
  return nb::cast(to_numpy(std::move(*table)));
}

nb::tuple ngrams_of_finalfusion(const Vector<const std::uint8_t>& arena,
                                const Vector<const std::int64_t>& offsets, int min_char,
                                int max_char, int exponent) {
  if (exponent < 1 || exponent > 40) throw std::invalid_argument("an exponent from 1 to 40");
  const WordSpans words{view(arena), view(offsets)};
  std::vector<std::uint32_t> hashes;
  std::vector<std::int64_t> rows;
  {
    const nb::gil_scoped_release release;
    for (const NgramRow& ngram : finalfusion_ngrams(words, min_char, max_char, exponent)) {
      hashes.push_back(ngram.hash);
      rows.push_back(ngram.row);
    }
  }
  return nb::make_tuple(to_numpy(std::move(hashes)), to_numpy(std::move(rows)));
}

}  // namespace

void bind_vectors(nb::module_& module) {
  module.def("parse_vector_lines", &parse_lines, "text"_a, "dim"_a,
             "Rows, bytes of the words, where each ends, bytes and lines read, what is wrong.");
  module.def("parse_vector_records", &parse_binary, "data"_a, "dim"_a, "max_words"_a,
             "Words read, rows, bytes of the words, where each ends, bytes read, what is wrong.");
  module.def("finalfusion_ngrams", &ngrams_of_finalfusion, "arena"_a, "offsets"_a, "min_char"_a,
             "max_char"_a, "exponent"_a, "fastText's hash of each n-gram, and its bucket.");
  nb::class_<FloretHashing>(module, "FloretHashing")
      .def(
          "__init__",
          [](FloretHashing* self, int min_char, int max_char, int hash_count, std::uint32_t seed,
             std::uint32_t buckets, std::string begin, std::string end) {
            new (self) FloretHashing(make_hashing(min_char, max_char, hash_count, seed, buckets,
                                                  std::move(begin), std::move(end)));
          },
          "min_char"_a, "max_char"_a, "hash_count"_a, "seed"_a, "buckets"_a, "begin"_a, "end"_a)
      .def("compose", &compose, "arena"_a, "offsets"_a, "indices"_a, "rows"_a, "n_words"_a, "out"_a)
      .def("parts_of", &parts_of, "word"_a)
      .def("rows_of_words", &rows_of_words, "arena"_a, "offsets"_a,
           "Offsets and rows of a vocabulary's words: compressed rows, as training needs them.")
      .def("fit_table", &fit_table, "arena"_a, "offsets"_a, "vectors"_a, "rows"_a, "bucket_ids"_a,
           "ngram_buckets"_a, "rows_per_item"_a,
           "The rows of a table with the vectors of a model, or None when this seed has none.");
}

}  // namespace brasa
