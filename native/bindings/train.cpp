// Training: the problem as Python hands it over, and the calls that set it up and run it.
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "bindings.h"
#include "problem_arrays.h"
#include "simd/kernels.h"
#include "train/setup.h"
#include "train/trainer.h"

namespace brasa {
namespace {

// Keeps the arrays alive that `problem` views.
struct TrainingProblem {
  Vector<const int32_t> tokens, alias, rows, path_nodes;
  Vector<const uint32_t> keep, accept;
  Vector<const int64_t> row_offsets, path_offsets;
  Vector<const uint8_t> path_branches;
  Matrix input, output;
  Problem problem;
  const Kernels& kernels;
  uint64_t done = 0;  // end of the last span
};

// Of windows, negatives and words in a tile: what they are multiplied with stays in 32 bits.
constexpr uint32_t kMaxCount = 1 << 16;

void check(const Problem& p) {
  const size_t n_words = p.keep.size();
  check_range(p.tokens, n_words, "tokens");
  check_offsets(p.row_offsets, n_words, p.rows.size(), "row_offsets");
  check_range(p.rows, p.input.n_rows(), "rows");
  if (std::ranges::adjacent_find(p.row_offsets) != p.row_offsets.end()) {
    throw std::invalid_argument("row_offsets: a word has no rows");
  }
  if (p.loss == Loss::kHierarchicalSoftmax) {
    check_offsets(p.paths.offsets, n_words, p.paths.nodes.size(), "path_offsets");
    check_range(p.paths.nodes, p.output.n_rows(), "path_nodes");
    if (p.paths.branches.size() != p.paths.nodes.size()) {
      throw std::invalid_argument("path_branches: not as long as path_nodes");
    }
  } else if (p.negatives.accept.size() != n_words || p.negatives.alias.size() != n_words) {
    throw std::invalid_argument("accept, alias: one entry per word is needed");
  } else {
    check_range(p.negatives.alias, n_words, "alias");
  }
  if (p.output.n_rows() < n_words || p.input.stride() != p.output.stride() || p.dim == 0 ||
      p.tile_size == 0 || p.tile_size > kMaxCount || p.window_size == 0 ||
      p.window_size > kMaxCount || p.negative_samples > kMaxCount ||
      p.shared_negatives > kMaxCount || p.block_tokens == 0 || p.n_blocks == 0 ||
      p.n_blocks != (p.tokens.size() + p.block_tokens - 1) / p.block_tokens ||
      p.total_blocks % p.n_blocks != 0 || p.total_blocks == 0 || p.n_streams == 0) {
    throw std::invalid_argument("the shapes of the problem do not agree");
  }
}

}  // namespace

void bind_train(nb::module_& module) {
  nb::class_<TrainingProblem>(module, "TrainingProblem",
                              "A training problem: views of the plan's arrays and the parameters.")
      .def(
          "__init__",
          [](TrainingProblem* self, bool cbow, bool hierarchical_softmax, uint32_t window_size,
             uint32_t negative_samples, uint32_t shared_negatives, uint32_t tile_size,
             float learning_rate, uint64_t seed, Vector<const int32_t> tokens,
             uint32_t block_tokens, uint64_t n_blocks, uint64_t total_blocks, uint64_t n_streams,
             int32_t line_end, Vector<const uint32_t> keep, Vector<const uint32_t> accept,
             Vector<const int32_t> alias, Vector<const int64_t> row_offsets,
             Vector<const int32_t> rows, Vector<const int64_t> path_offsets,
             Vector<const int32_t> path_nodes, Vector<const uint8_t> path_branches, Matrix input,
             Matrix output, const std::string& instruction_set) {
            const Problem problem{
                .mode = cbow ? Mode::kCbow : Mode::kSkipgram,
                .loss = hierarchical_softmax ? Loss::kHierarchicalSoftmax : Loss::kNegativeSampling,
                .dim = input.shape(1),
                .window_size = window_size,
                .negative_samples = negative_samples,
                .shared_negatives = shared_negatives,
                .tile_size = tile_size,
                .learning_rate = learning_rate,
                .seed = seed,
                .tokens = view(tokens),
                .block_tokens = block_tokens,
                .n_blocks = n_blocks,
                .total_blocks = total_blocks,
                .n_streams = n_streams,
                .line_end = line_end,
                .keep = view(keep),
                .negatives = {view(accept), view(alias)},
                .row_offsets = view(row_offsets),
                .rows = view(rows),
                .paths = {view(path_offsets), view(path_nodes), view(path_branches)},
                .input = padded_rows(input, "input"),
                .output = padded_rows(output, "output")};
            if (output.shape(1) != input.shape(1)) {
              throw std::invalid_argument("the shapes of input and output do not agree");
            }
            check(problem);
            new (self) TrainingProblem{tokens,
                                       alias,
                                       rows,
                                       path_nodes,
                                       keep,
                                       accept,
                                       row_offsets,
                                       path_offsets,
                                       path_branches,
                                       input,
                                       output,
                                       problem,
                                       kernels_named(instruction_set)};
          },
          nb::kw_only(), nb::arg("cbow"), nb::arg("hierarchical_softmax"), nb::arg("window_size"),
          nb::arg("negative_samples"), nb::arg("shared_negatives"), nb::arg("tile_size"),
          nb::arg("learning_rate"), nb::arg("seed"), nb::arg("tokens").noconvert(),
          nb::arg("block_tokens"), nb::arg("n_blocks"), nb::arg("total_blocks"),
          nb::arg("n_streams"), nb::arg("line_end"), nb::arg("keep").noconvert(),
          nb::arg("accept").noconvert(), nb::arg("alias").noconvert(),
          nb::arg("row_offsets").noconvert(), nb::arg("rows").noconvert(),
          nb::arg("path_offsets").noconvert(), nb::arg("path_nodes").noconvert(),
          nb::arg("path_branches").noconvert(), nb::arg("input").noconvert(),
          nb::arg("output").noconvert(), nb::arg("instruction_set"))
      .def(
          "train_span",
          [](TrainingProblem& self, uint64_t first, uint64_t last, unsigned n_threads) {
            return train_blocks(first, last, self.problem.total_blocks, n_threads, self.done, [&] {
              return train_span(self.problem, self.kernels, first, last, n_threads);
            });
          },
          nb::arg("first"), nb::arg("last"), nb::arg("n_threads"),
          "Train blocks first .. last - 1; gives (summed loss, pairs in that sum, all finite).")
      .def_ro("done", &TrainingProblem::done,
              "End of the last span; Ctrl-C may keep what train_span gives from its caller.");

  module.def(
      "build_alias_table",
      [](const Vector<const double>& weights) {
        double total = 0;
        for (const double weight : view(weights)) {
          if (!(weight >= 0)) throw std::invalid_argument("weights: negative or not a number");
          total += weight;
        }
        if (!(total > 0) || !std::isfinite(total)) {
          throw std::invalid_argument("weights: their sum is no finite number above 0");
        }
        AliasTable table = build_alias_table(view(weights));
        return nb::make_tuple(to_numpy(std::move(table.accept)), to_numpy(std::move(table.alias)));
      },
      nb::arg("weights"), "Alias table (accept, alias) of the distribution given by the weights.");

  module.def(
      "build_huffman_code",
      [](const Vector<const int64_t>& counts) {
        const auto all = view(counts);
        double total = 0;
        for (const int64_t count : all) total += static_cast<double>(count);
        // fastText's numbering takes 1e15 for a node that is yet to be made.
        if (all.empty() || all.size() > size_t{1} << 30 || all.back() < 0 || total >= 1e15 ||
            !std::ranges::is_sorted(all, std::greater())) {
          throw std::invalid_argument("counts: must be descending, and their sum below 1e15");
        }
        HuffmanCode code = build_huffman_code(view(counts));
        return nb::make_tuple(to_numpy(std::move(code.offsets)), to_numpy(std::move(code.nodes)),
                              to_numpy(std::move(code.branches)));
      },
      nb::arg("counts"), "Huffman paths (offsets, nodes, branches) of descending counts.");

  module.def(
      "permutation",
      [](uint64_t n, uint64_t seed, uint64_t stream) {
        if (n > std::numeric_limits<int32_t>::max()) {
          throw std::invalid_argument("n: more than 2 billion");
        }
        return to_numpy(permutation(n, seed, stream));
      },
      nb::arg("n"), nb::arg("seed"), nb::arg("stream"),
      "The numbers 0 .. n - 1 in an order chosen at random.");

  module.def(
      "fill_uniform",
      [](Matrix matrix, float bound, uint64_t seed, unsigned n_threads) {
        const HogwildMatrix rows = padded_rows(matrix, "matrix");
        if (n_threads == 0) throw std::invalid_argument("n_threads: must be at least 1");
        const nb::gil_scoped_release unlocked;
        fill_uniform(rows.data(), rows.n_rows(), matrix.shape(1), rows.stride(), bound, seed,
                     n_threads);
      },
      nb::arg("matrix").noconvert(), nb::arg("bound"), nb::arg("seed"), nb::arg("n_threads"),
      "Fill a padded matrix with uniform numbers from [-bound, bound].");

  module.def(
      "instruction_set",
      [](const std::string& name) -> nb::object {
        const Kernels* kernels = find_kernels(name);
        return kernels == nullptr ? nb::object(nb::none()) : nb::object(nb::str(kernels->name));
      },
      nb::arg("name") = "auto",
      "Name of the kernels that would be used, None when this processor or build lacks them.");
}

}  // namespace brasa
