// Text classification: labeled lines as numbers, and the training problem.
#include <nanobind/stl/string.h>

#include <atomic>
#include <cmath>  // which tells whether this is glibc

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "bindings.h"
#include "parallel/cores.h"
#include "parallel/pieces.h"
#include "problem_arrays.h"
#include "text/examples.h"
#include "train/classifier.h"
#include "words.h"

namespace brasa {
namespace {

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
      std::ranges::any_of(view(meaning), [=](int32_t m) { return m >= n_words; })) {
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
  const size_t n_unit_rows =
      examples.units.offsets.empty() ? 0 : static_cast<size_t>(examples.units.offsets.back());
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

// Keeps the arrays alive that `problem` views.
struct BoundClassifierProblem {
  Vector<const int64_t> item_offsets, unit_offsets, label_offsets, block_offsets, step_items,
      path_offsets;
  Vector<const int32_t> items, unit_rows, labels, order, block_order, alias, path_nodes;
  Vector<const uint32_t> accept;
  Vector<const uint8_t> path_branches;
  Vector<const float> line_weights, label_weights;
  Vector<const int64_t> label_counts;
  Matrix input, output;
  ClassifierProblem problem;
  const Kernels& kernels;
  uint64_t done = 0;  // end of the last span
};

ClassifierLoss loss_named(const std::string& name) {
  if (name == "softmax") return ClassifierLoss::kSoftmax;
  if (name == "hs") return ClassifierLoss::kHierarchicalSoftmax;
  if (name == "ns") return ClassifierLoss::kNegativeSampling;
  if (name == "ova") return ClassifierLoss::kOneVsAll;
  throw std::invalid_argument("loss: there is no " + name);
}

void check_items(const ClassifierProblem& p) {
  const size_t n_rows = p.input.n_rows();
  if (p.unit_offsets.empty()) {
    check_range(p.items, n_rows, "items");
    return;
  }
  const size_t n_units = p.unit_offsets.size() - 1;
  check_offsets(p.unit_offsets, n_units, p.unit_rows.size(), "unit_offsets");
  check_range(p.unit_rows, n_rows, "unit_rows");
  std::atomic<bool> inside = true;
  for_each_piece(p.items.size(), static_cast<int>(n_cores()), [&](size_t begin, size_t end) {
    const bool all = std::ranges::all_of(p.items.subspan(begin, end - begin), [&](int32_t item) {
      return item < 0 ? static_cast<size_t>(~item) < n_rows
                      : static_cast<size_t>(item) < n_units && !p.rows_of_unit(item).empty();
    });
    if (!all) inside = false;
  });
  if (!inside) throw std::invalid_argument("items: an index is out of range");
}

void check_each_has_one(std::span<const int64_t> offsets, const char* name) {
  if (std::ranges::adjacent_find(offsets) != offsets.end()) {
    throw std::invalid_argument(std::string(name) + ": a line has none");
  }
}

void check_weights(std::span<const float> weights, size_t n, const char* name) {
  if (!weights.empty() && weights.size() != n) {
    throw std::invalid_argument(std::string(name) + ": not one for each");
  }
  if (!std::ranges::all_of(weights, [](float w) { return w >= 0 && std::isfinite(w); })) {
    throw std::invalid_argument(std::string(name) + ": not finite, or below 0");
  }
}

void check(const ClassifierProblem& p) {
  const size_t n_labels = p.output.n_rows();
  if (p.item_offsets.empty() || p.block_offsets.size() < 2 || n_labels == 0 || p.n_epochs == 0 ||
      p.n_epochs > 1'000'000'000 || p.negative_samples > 1 << 16 ||
      p.input.stride() != p.output.stride() || p.input.stride() == 0) {
    throw std::invalid_argument("the shapes of the problem do not agree");
  }
  const size_t n_lines = p.item_offsets.size() - 1;
  check_offsets(p.item_offsets, n_lines, p.items.size(), "item_offsets");
  check_offsets(p.label_offsets, n_lines, p.labels.size(), "label_offsets");
  check_each_has_one(p.item_offsets, "item_offsets");
  check_each_has_one(p.label_offsets, "label_offsets");
  check_items(p);
  check_range(p.labels, n_labels, "labels");
  check_weights(p.line_weights, n_lines, "line_weights");
  check_weights(p.label_weights, n_labels, "label_weights");
  if (p.label_counts.size() != n_labels) {
    throw std::invalid_argument("label_counts: one for each label is needed");
  }
  check_range(p.order, n_lines, "order");
  check_offsets(p.block_offsets, p.n_blocks(), p.order.size(), "block_offsets");
  check_range(p.block_order, p.n_blocks(), "block_order");
  if (p.block_order.empty() || p.block_order.size() % p.n_blocks() != 0) {
    throw std::invalid_argument("block_order: not the blocks of whole epochs");
  }
  if (p.step_items.size() != p.block_order.size() + 1 || p.step_items.front() != 0 ||
      p.step_items.back() <= 0 || !std::ranges::is_sorted(p.step_items)) {
    throw std::invalid_argument("step_items: not one rising number for each step");
  }
  if (p.loss == ClassifierLoss::kHierarchicalSoftmax) {
    check_offsets(p.paths.offsets, n_labels, p.paths.nodes.size(), "path_offsets");
    check_range(p.paths.nodes, n_labels, "path_nodes");
    if (p.paths.branches.size() != p.paths.nodes.size()) {
      throw std::invalid_argument("path_branches: not as long as path_nodes");
    }
  } else if (p.loss == ClassifierLoss::kNegativeSampling) {
    if (p.negatives.accept.size() != n_labels || p.negatives.alias.size() != n_labels) {
      throw std::invalid_argument("accept, alias: one entry per label is needed");
    }
    check_range(p.negatives.alias, n_labels, "alias");
  }
}

}  // namespace

void bind_train_classifier(nb::module_& module) {
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

  nb::class_<BoundClassifierProblem>(
      module, "ClassifierProblem",
      "A classifier's training problem: views of the plan's arrays and the parameters.")
      .def(
          "__init__",
          [](BoundClassifierProblem* self, const std::string& loss, uint32_t negative_samples,
             float learning_rate, uint64_t seed, uint64_t epochs,
             Vector<const int64_t> item_offsets, Vector<const int32_t> items,
             Vector<const int64_t> unit_offsets, Vector<const int32_t> unit_rows,
             Vector<const int64_t> label_offsets, Vector<const int32_t> labels,
             Vector<const float> line_weights, Vector<const float> label_weights,
             Vector<const int64_t> label_counts, Vector<const int32_t> order,
             Vector<const int64_t> block_offsets, Vector<const int32_t> block_order,
             Vector<const int64_t> step_items, Vector<const uint32_t> accept,
             Vector<const int32_t> alias, Vector<const int64_t> path_offsets,
             Vector<const int32_t> path_nodes, Vector<const uint8_t> path_branches, Matrix input,
             Matrix output, const std::string& instruction_set) {
            const ClassifierProblem problem{
                .loss = loss_named(loss),
                .negative_samples = negative_samples,
                .learning_rate = learning_rate,
                .seed = seed,
                .n_epochs = epochs,
                .item_offsets = view(item_offsets),
                .items = view(items),
                .unit_offsets = view(unit_offsets),
                .unit_rows = view(unit_rows),
                .label_offsets = view(label_offsets),
                .labels = view(labels),
                .line_weights = view(line_weights),
                .label_weights = view(label_weights),
                .order = view(order),
                .block_offsets = view(block_offsets),
                .block_order = view(block_order),
                .step_items = view(step_items),
                .label_counts = view(label_counts),
                .negatives = {view(accept), view(alias)},
                .paths = {view(path_offsets), view(path_nodes), view(path_branches)},
                .input = padded_rows(input, "input"),
                .output = padded_rows(output, "output")};
            if (output.shape(1) != input.shape(1)) {
              throw std::invalid_argument("the shapes of input and output do not agree");
            }
            check(problem);
            new (self) BoundClassifierProblem{item_offsets,  unit_offsets,
                                              label_offsets, block_offsets,
                                              step_items,    path_offsets,
                                              items,         unit_rows,
                                              labels,        order,
                                              block_order,   alias,
                                              path_nodes,    accept,
                                              path_branches, line_weights,
                                              label_weights, label_counts,
                                              input,         output,
                                              problem,       kernels_named(instruction_set)};
          },
          nb::kw_only(), nb::arg("loss"), nb::arg("negative_samples"), nb::arg("learning_rate"),
          nb::arg("seed"), nb::arg("epochs"), nb::arg("item_offsets").noconvert(),
          nb::arg("items").noconvert(), nb::arg("unit_offsets").noconvert(),
          nb::arg("unit_rows").noconvert(), nb::arg("label_offsets").noconvert(),
          nb::arg("labels").noconvert(), nb::arg("line_weights").noconvert(),
          nb::arg("label_weights").noconvert(), nb::arg("label_counts").noconvert(),
          nb::arg("order").noconvert(), nb::arg("block_offsets").noconvert(),
          nb::arg("block_order").noconvert(), nb::arg("step_items").noconvert(),
          nb::arg("accept").noconvert(), nb::arg("alias").noconvert(),
          nb::arg("path_offsets").noconvert(), nb::arg("path_nodes").noconvert(),
          nb::arg("path_branches").noconvert(), nb::arg("input").noconvert(),
          nb::arg("output").noconvert(), nb::arg("instruction_set"))
      .def(
          "train_span",
          [](BoundClassifierProblem& self, uint64_t first, uint64_t last, unsigned n_threads) {
            const ClassifierProblem& problem = self.problem;
            return train_blocks(first, last, problem.n_steps(), n_threads, self.done, [&] {
              return train_classifier_span(problem, self.kernels, first, last, n_threads);
            });
          },
          nb::arg("first"), nb::arg("last"), nb::arg("n_threads"),
          "Train steps first .. last - 1; gives (summed loss, lines in that sum, all finite).")
      .def(
          "count_right",
          [](const BoundClassifierProblem& self, unsigned n_threads) {
            if (n_threads == 0) throw std::invalid_argument("n_threads: must be at least 1");
            const nb::gil_scoped_release unlocked;
            return count_right(self.problem, self.kernels, n_threads);
          },
          nb::arg("n_threads"), "How many lines have a label of their own as the best one.")
      .def_ro("done", &BoundClassifierProblem::done,
              "End of the last span; Ctrl-C may keep what train_span gives from its caller.");
}

}  // namespace brasa
