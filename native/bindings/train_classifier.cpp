// The training problem of a text classifier.
#include <nanobind/stl/string.h>

#include <cmath>

#include "bindings.h"
#include "bound_example_rows.h"
#include "problem_arrays.h"
#include "train/classifier.h"

namespace brasa {
namespace {

// Keeps the arrays alive that `problem` views.
struct BoundClassifierProblem {
  Vector<const int64_t> label_offsets, block_offsets, step_items, path_offsets;
  Vector<const int32_t> labels, order, block_order, alias, path_nodes;
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
  if (p.block_offsets.size() < 2 || n_labels == 0 || p.n_epochs == 0 ||
      p.n_epochs > 1'000'000'000 || p.negative_samples > 1 << 16 ||
      p.input.stride() != p.output.stride() || p.input.stride() == 0) {
    throw std::invalid_argument("the shapes of the problem do not agree");
  }
  const size_t n_lines = p.rows.n_lines();
  check_offsets(p.label_offsets, n_lines, p.labels.size(), "label_offsets");
  check_each_has_one(p.label_offsets, "label_offsets");
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
  nb::class_<BoundClassifierProblem>(
      module, "ClassifierProblem",
      "A classifier's training problem: views of the plan's arrays and the parameters.")
      .def(
          "__init__",
          [](BoundClassifierProblem* self, const BoundExampleRows& rows, const std::string& loss,
             uint32_t negative_samples, float learning_rate, uint64_t seed, uint64_t epochs,
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
                .rows = rows.rows,
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
            if (rows.n_rows > input.shape(0)) {
              throw std::invalid_argument("rows: more of them than input has");
            }
            new (self) BoundClassifierProblem{
                label_offsets, block_offsets, step_items,
                path_offsets,  labels,        order,
                block_order,   alias,         path_nodes,
                accept,        path_branches, line_weights,
                label_weights, label_counts,  input,
                output,        problem,       kernels_named(instruction_set)};
          },
          nb::kw_only(), nb::keep_alive<1, 2>(), nb::arg("rows"), nb::arg("loss"),
          nb::arg("negative_samples"), nb::arg("learning_rate"), nb::arg("seed"), nb::arg("epochs"),
          nb::arg("label_offsets").noconvert(), nb::arg("labels").noconvert(),
          nb::arg("line_weights").noconvert(), nb::arg("label_weights").noconvert(),
          nb::arg("label_counts").noconvert(), nb::arg("order").noconvert(),
          nb::arg("block_offsets").noconvert(), nb::arg("block_order").noconvert(),
          nb::arg("step_items").noconvert(), nb::arg("accept").noconvert(),
          nb::arg("alias").noconvert(), nb::arg("path_offsets").noconvert(),
          nb::arg("path_nodes").noconvert(), nb::arg("path_branches").noconvert(),
          nb::arg("input").noconvert(), nb::arg("output").noconvert(), nb::arg("instruction_set"))
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
