// Nearest rows, for brasa.neighbors.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <chrono>
#include <optional>
#include <string>

#include "bindings.h"
#include "neighbors/scan.h"
#include "problem_arrays.h"

using namespace nanobind::literals;

namespace brasa {
namespace {

// Hears Ctrl-C, at most every 20 ms: for that it needs the GIL.
class SignalPoll {
 public:
  void operator()() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(20)) return;
    last_ = now;
    const nb::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

NumpyVector<float> norms_of(const Rows& vectors) {
  const RowView rows = view(vectors);
  std::vector<float> inverse;
  {
    const nb::gil_scoped_release unlocked;
    inverse = inverse_norms(rows);
  }
  return to_numpy(std::move(inverse));
}

nb::tuple nearest_rows(const Rows& vectors, const Vector<const float>& norms, const Rows& queries,
                       size_t k, const std::optional<Vector<const int32_t>>& candidates,
                       const Vector<const int64_t>& exclude_offsets,
                       const Vector<const int32_t>& exclude, unsigned n_threads,
                       const std::string& instruction_set) {
  Scan scan{.vectors = view(vectors),
            .inverse_norms = view(norms),
            .candidates = std::nullopt,
            .queries = view(queries),
            .exclude_offsets = view(exclude_offsets),
            .exclude = view(exclude),
            .k = k};
  const size_t n_rows = scan.vectors.n_rows;
  if (candidates) {
    scan.candidates = view(*candidates);
    check_range(*scan.candidates, n_rows, "candidates");
  }
  check_offsets(scan.exclude_offsets, scan.queries.n_rows, exclude.size(), "exclude_offsets");
  if (scan.queries.dim != scan.vectors.dim || norms.size() != n_rows || n_threads == 0 ||
      n_rows > INT32_MAX || k > scan.n_candidates()) {
    throw std::invalid_argument("the shapes of vectors, norms, queries and k do not agree");
  }
  const Kernels& kernels = kernels_named(instruction_set);
  NearestRows nearest;
  {
    const nb::gil_scoped_release unlocked;
    nearest = scan_rows(scan, kernels, n_threads, SignalPoll());
  }
  return nb::make_tuple(to_numpy(std::move(nearest.rows)), to_numpy(std::move(nearest.cosines)));
}

}  // namespace

void bind_neighbors(nb::module_& module) {
  module.def("inverse_norms", &norms_of, "vectors"_a.noconvert(),
             "1 / length of each row, NaN for a row without direction.");
  module.def("nearest_rows", &nearest_rows, "vectors"_a.noconvert(), "inverse_norms"_a.noconvert(),
             "queries"_a.noconvert(), "k"_a, "candidates"_a.noconvert().none(),
             "exclude_offsets"_a.noconvert(), "exclude"_a.noconvert(), "n_threads"_a,
             "instruction_set"_a,
             "Rows and cosines of the k nearest rows of each query, one query after the other.");
}

}  // namespace brasa
