// Labeled lines as numbers.
#include "text/examples.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>  // any of them tells whether this is glibc

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "bindings.h"
#include "bound_example_rows.h"
#include "memory/large_array.h"
#include "parallel/pieces.h"
#include "problem_arrays.h"
#include "words.h"

namespace brasa {
namespace {

// Each row is a word's alone, and below n_words.
bool are_rows(std::span<const int32_t> meaning, int32_t n_words) {
  std::vector<bool> seen(static_cast<size_t>(std::max(n_words, 0)));
  return std::ranges::all_of(meaning, [&](int32_t row) {
    if (row < 0) return true;
    if (row >= n_words || seen[static_cast<size_t>(row)]) return false;
    seen[static_cast<size_t>(row)] = true;
    return true;
  });
}

nb::dict make_examples(const Vector<const int32_t>& ids, const Vector<const uint8_t>& arena,
                       const Vector<const int64_t>& offsets, const Vector<const int32_t>& meaning,
                       int32_t n_words, int word_ngrams, int min_char, int max_char,
                       uint32_t buckets, int32_t line_end, int threads,
                       const Vector<const uint32_t>& model_buckets, bool drops_other_buckets) {
  const WordsView words = view_words(arena, offsets);
  check_range(view(ids), words.size(), "ids");
  if (meaning.size() != words.size() || n_words < 0 || word_ngrams < 1 || max_char < 0 ||
      (max_char > 0 && (min_char < 1 || min_char > max_char)) || buckets == 0 || threads < 1 ||
      std::ranges::any_of(
          view(model_buckets), [=](uint32_t b) { return b >= buckets; }) ||
      !are_rows(view(meaning), n_words)) {
    throw std::invalid_argument("the options of the examples do not agree");
  }
  Examples examples;
  {
    const nb::gil_scoped_release unlocked;
    examples = build_examples(view(ids), words, view(meaning), n_words,
                              {word_ngrams, min_char, max_char, buckets, line_end, threads,
                               view(model_buckets), drops_other_buckets});
  }
  nb::dict result;
  const auto n_items = static_cast<size_t>(examples.item_offsets.back());
  const size_t n_unit_rows = examples.units.n_rows();
  result["items"] = to_numpy(std::move(examples.items), n_items);
  result["item_offsets"] = to_numpy(std::move(examples.item_offsets));
  result["labels"] = to_numpy(std::move(examples.labels));
  result["label_offsets"] = to_numpy(std::move(examples.label_offsets));
  result["unit_rows"] = to_numpy(std::move(examples.units.rows), n_unit_rows);
  result["unit_offsets"] = to_numpy(std::move(examples.units.offsets));
  result["bucket_ids"] = to_numpy(std::move(examples.bucket_ids));
  result["lines"] = to_numpy(std::move(examples.lines));
  result["n_skipped"] = examples.n_skipped;
  return result;
}

void check(const ExampleTables& t, size_t n_rows) {
  if (n_rows > std::numeric_limits<int32_t>::max() || t.n_words > n_rows) {
    throw std::invalid_argument("n_rows: not as many as an int32 can number, or fewer than words");
  }
  const size_t n_lines = t.item_offsets.empty() ? 0 : t.item_offsets.size() - 1;
  check_offsets(t.item_offsets, n_lines, t.items.size(), "item_offsets");
  if (std::ranges::adjacent_find(t.item_offsets) != t.item_offsets.end()) {
    throw std::invalid_argument("item_offsets: a line has none");
  }
  if (t.unit_offsets.empty()) {
    check_range(t.items, n_rows, "items");
    return;
  }
  const size_t n_units = t.unit_offsets.size() - 1;
  check_offsets(t.unit_offsets, n_units, t.unit_rows.size(), "unit_offsets");
  check_range(t.unit_rows, n_rows, "unit_rows");
  if (n_units < t.n_words) throw std::invalid_argument("unit_offsets: not one for each word");
  const auto fits = [&](int32_t item) {
    if (item >= 0 && static_cast<size_t>(item) >= t.n_words) {
      return static_cast<size_t>(item) < n_rows;
    }
    const size_t unit = unit_of_item(item, t.n_words);
    return unit < n_units && t.unit_offsets[unit] < t.unit_offsets[unit + 1];
  };
  if (!std::ranges::all_of(t.items, fits)) {
    throw std::invalid_argument("items: an index is out of range");
  }
}

// Rows of lines first .. last - 1, one after the other, and where each line's begin.
nb::tuple list_lines(const BoundExampleRows& self, int64_t first, int64_t last, int threads) {
  if (first < 0 || first > last || last > static_cast<int64_t>(self.rows.n_lines()) ||
      threads < 1) {
    throw std::invalid_argument("not a span of these lines");
  }
  const auto n = static_cast<size_t>(last - first);
  std::vector<int64_t> offsets(n + 1);
  std::unique_ptr<int32_t[]> rows;
  {
    const nb::gil_scoped_release unlocked;
    const auto for_each_line = [&](auto&& visit) {
      for_each_piece(n, threads, [&](size_t begin, size_t end) {
        LineRows found;
        for (size_t i = begin; i < end; ++i) {
          self.rows.list(static_cast<int32_t>(first + static_cast<int64_t>(i)), found);
          visit(i, found);
        }
      });
    };
    for_each_line([&](size_t i, const LineRows& found) {
      offsets[i + 1] = static_cast<int64_t>(found.size());
    });
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    rows = make_large<int32_t>(static_cast<size_t>(offsets.back()));
    for_each_line([&](size_t i, const LineRows& found) {
      std::ranges::copy(found, rows.get() + offsets[i]);
    });
  }
  const auto n_rows = static_cast<size_t>(offsets.back());
  return nb::make_tuple(to_numpy(std::move(offsets)), to_numpy(std::move(rows), n_rows));
}

}  // namespace

void bind_examples(nb::module_& module) {
  module.def("build_examples", &make_examples, nb::kw_only(), nb::arg("ids").noconvert(),
             nb::arg("arena").noconvert(), nb::arg("offsets").noconvert(),
             nb::arg("meaning").noconvert(), nb::arg("n_words"), nb::arg("word_ngrams"),
             nb::arg("min_char"), nb::arg("max_char"), nb::arg("buckets"), nb::arg("line_end"),
             nb::arg("threads"), nb::arg("model_buckets").noconvert(),
             nb::arg("drops_other_buckets"),
             "Labeled lines as numbers: see native/text/examples.h.");

  module.def(
      "release_free_memory",
      [] {
#ifdef __GLIBC__
        malloc_trim(0);
#endif
      },
      "Give memory that was freed back to the system, where the C library keeps it.");

  nb::class_<BoundExampleRows>(module, "ExampleRows",
                               "The input rows of labeled lines, of what build_examples gives.")
      .def(
          "__init__",
          [](BoundExampleRows* self, Vector<const int64_t> item_offsets,
             Vector<const int32_t> items, Vector<const int64_t> unit_offsets,
             Vector<const int32_t> unit_rows, size_t n_words, size_t n_rows) {
            const ExampleTables tables{.item_offsets = view(item_offsets),
                                       .items = view(items),
                                       .unit_offsets = view(unit_offsets),
                                       .unit_rows = view(unit_rows),
                                       .n_words = n_words};
            check(tables, n_rows);
            new (self) BoundExampleRows{item_offsets, unit_offsets, items,
                                        unit_rows,    n_rows,       ExampleRows(tables)};
          },
          nb::kw_only(), nb::arg("item_offsets").noconvert(), nb::arg("items").noconvert(),
          nb::arg("unit_offsets").noconvert(), nb::arg("unit_rows").noconvert(), nb::arg("n_words"),
          nb::arg("n_rows"))
      .def("list", &list_lines, nb::arg("first"), nb::arg("last"), nb::arg("threads"),
           "Rows of lines first .. last - 1: (where each begins, and the end; all rows).");
}

}  // namespace brasa
