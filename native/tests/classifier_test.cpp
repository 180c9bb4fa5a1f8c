#include "train/classifier.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "predict/true_labels.h"
#include "text/example_rows.h"
#include "text/examples.h"
#include "train/own_rows.h"
#include "train/setup.h"
#include "train/step.h"

namespace brasa {
namespace {

// Words in one piece of memory.
struct Words {
  std::string arena;
  std::vector<int64_t> offsets{0};

  explicit Words(const std::vector<std::string_view>& words) {
    for (const std::string_view word : words) {
      arena += word;
      offsets.push_back(static_cast<int64_t>(arena.size()));
    }
  }
  WordsView view() const { return {{arena.data(), arena.size()}, offsets}; }
};

// Tokens: the words a, bb, </s>, then the label x and y.
const Words kWords({"a", "bb", "</s>", "#x", "#y"});
const std::vector<int32_t> kMeaning{0, 1, 2, label_meaning(0), label_meaning(1)};

std::vector<int32_t> rows_of(const ExampleRows& rows, int32_t line) {
  LineRows found;
  rows.list(line, found);
  return {found.begin(), found.end()};
}

TEST_CASE("items are rows, units of words, or units of dropped words") {
  const std::vector<int64_t> item_offsets{0, 4, 5, 6};
  const std::vector<int32_t> items{1, ~0, 3, 0, 3, 1};
  // Of word 0 seventeen rows, more than are copied at once; of word 1 two; of the dropped word one.
  const std::vector<int64_t> unit_offsets{0, 17, 19, 20};
  std::vector<int32_t> unit_rows(20, 4);
  unit_rows[17] = 1;
  unit_rows[18] = 5;
  unit_rows[19] = 6;
  const ExampleRows rows({item_offsets, items, unit_offsets, unit_rows, 2});
  std::vector<int32_t> first{1, 5, 6, 3};
  first.insert(first.end(), 17, 4);
  LineRows found;
  for (int round = 0; round < 2; ++round) {  // shorter lines after a longer one
    rows.list(0, found);
    CHECK(std::vector<int32_t>(found.begin(), found.end()) == first);
    rows.list(1, found);
    CHECK(std::vector<int32_t>(found.begin(), found.end()) == std::vector<int32_t>{3});
    rows.list(2, found);
    CHECK(std::vector<int32_t>(found.begin(), found.end()) == std::vector<int32_t>{1, 5});
  }
  for (int32_t line = 0; line < 3; ++line) {
    rows.ask_for_units(line);
    rows.ask_for_unit_rows(line);
  }
  CHECK(rows.n_items(0) == 4);
  const ExampleRows plain({item_offsets, items, {}, {}, 2});
  CHECK(rows_of(plain, 1) == std::vector<int32_t>{3});
}

TEST_CASE("lines become rows and labels") {
  const std::vector<int32_t> ids{0, 3, 1, 2, 2, 4, 1, 1, 2, 0};
  const Examples found =
      build_examples(ids, kWords.view(), kMeaning, 3, {.word_ngrams = 1, .line_end = 2});
  CHECK(found.n_skipped == 2);  // an empty line, and one without a label
  CHECK(found.lines == std::vector<int64_t>{0, 2});
  CHECK(found.item_offsets == std::vector<int64_t>{0, 3, 6});
  CHECK(std::vector<int32_t>(found.items.get(), found.items.get() + 6) ==
        std::vector<int32_t>{0, 1, 2, 1, 1, 2});
  CHECK(found.labels == std::vector<int32_t>{0, 1});
  CHECK(found.bucket_ids.empty());
}

TEST_CASE("every n-gram has a row, and every row an n-gram") {
  const std::vector<int32_t> ids{0, 3, 1, 2, 4, 1, 1, 2};
  for (const int threads : {1, 3}) {
    const Examples found = build_examples(ids, kWords.view(), kMeaning, 3,
                                          {.word_ngrams = 3,
                                           .min_char = 1,
                                           .max_char = 2,
                                           .buckets = 7,
                                           .line_end = 2,
                                           .threads = threads});
    const auto n_rows = static_cast<int32_t>(3 + found.bucket_ids.size());
    std::vector<bool> used(static_cast<size_t>(n_rows));
    const auto note = [&](int32_t row) {
      REQUIRE(row >= 0);
      REQUIRE(row < n_rows);
      used[static_cast<size_t>(row)] = true;
    };
    const ExampleRows rows(tables_of(found, 3));
    LineRows of_line;
    for (size_t i = 0; i < rows.n_lines(); ++i) {
      rows.list(static_cast<int32_t>(i), of_line);
      std::ranges::for_each(of_line, note);
    }
    CHECK(std::ranges::all_of(used, [](bool u) { return u; }));
  }
}

TEST_CASE("a text without tokens has no examples") {
  const Examples found = build_examples({}, kWords.view(), kMeaning, 3, {.line_end = 2});
  CHECK(found.item_offsets == std::vector<int64_t>{0});
  CHECK(found.lines.empty());
}

TEST_CASE("labels of lines") {
  CHECK(split_lines("").empty());
  CHECK(split_lines("a") == std::vector<std::string_view>{"a"});
  CHECK(split_lines("a\n\nb\n") == std::vector<std::string_view>{"a", "", "b"});
  const Words names({"#x", "#y"});
  const WordIndex index(names.view());
  const std::vector<std::string_view> lines{"#x a #y #x", "", "#z #", "a </s> #x", "\t#y\r"};
  const TrueLabels found = find_labels(lines, index, names.view(), "#");
  CHECK(found.offsets == std::vector<int64_t>{0, 3, 3, 3, 3, 4});
  CHECK(found.labels == std::vector<int32_t>{0, 1, 0, 1});
  CHECK(found.n_unknown == 2);
}

// Two labels that the first feature of a line tells apart; all lines share the last row.
struct Task {
  std::vector<int64_t> item_offsets{0}, label_offsets{0}, block_offsets{0}, step_items{0};
  std::optional<ExampleRows> rows;
  std::vector<int32_t> items, labels, order, block_order;
  std::vector<int64_t> counts{40, 40, 0};
  FloatBuffer input{3 * kRowAlign}, output{3 * kRowAlign};
  AliasTable alias = build_alias_table(std::vector<double>{1, 1, 1});
  HuffmanCode code = build_huffman_code(counts);
  std::vector<float> line_weights, label_weights;

  Task() {
    for (int32_t i = 0; i < 80; ++i) {
      items.insert(items.end(), {i % 2, 2});
      labels.push_back(i % 2);
      order.push_back(i);
      item_offsets.push_back(2 * (i + 1));
      label_offsets.push_back(i + 1);
      if (i % 8 == 7) {
        block_offsets.push_back(i + 1);
        block_order.insert(block_order.begin(), i / 8);  // backwards
        step_items.push_back(2 * (i + 1));
      }
    }
    rows.emplace(ExampleTables{item_offsets, items, {}, {}, 3});
    for (size_t row = 0; row < 3; ++row) input[row * kRowAlign + row] = 0.1f;
  }

  ClassifierProblem problem(ClassifierLoss loss) {
    return {.loss = loss,
            .negative_samples = 2,
            .learning_rate = 0.5f,
            .seed = 1,
            .n_epochs = 5,
            .rows = *rows,
            .label_offsets = label_offsets,
            .labels = labels,
            .line_weights = line_weights,
            .label_weights = label_weights,
            .order = order,
            .block_offsets = block_offsets,
            .block_order = block_order,
            .step_items = step_items,
            .label_counts = counts,
            .negatives = {alias.accept, alias.alias},
            .paths = {code.offsets, code.nodes, code.branches},
            .input = {input.data(), 3, kRowAlign},
            .output = {output.data(), 3, kRowAlign}};
  }
};

TEST_CASE("each loss learns to tell labels apart") {
  for (const auto loss : {ClassifierLoss::kSoftmax, ClassifierLoss::kHierarchicalSoftmax,
                          ClassifierLoss::kNegativeSampling, ClassifierLoss::kOneVsAll}) {
    for (const char* name : {"scalar", "auto"}) {
      CAPTURE(static_cast<int>(loss));
      Task task;
      const ClassifierProblem problem = task.problem(loss);
      const Kernels& kernels = *find_kernels(name);
      const SpanResult first = train_classifier_span(problem, kernels, 0, 10, 1);
      train_classifier_span(problem, kernels, 10, 40, 2);
      const SpanResult last = train_classifier_span(problem, kernels, 40, 50, 1);
      CHECK(first.finite);
      CHECK(first.n_pairs == 10);  // the first line of each block
      CHECK(last.loss < first.loss / 2);
      CHECK(count_right(problem, kernels, 2) == 80);
    }
  }
}

TEST_CASE("lines that weigh nothing move nothing") {
  for (const bool of_labels : {false, true}) {
    Task task;
    (of_labels ? task.label_weights : task.line_weights).assign(of_labels ? 3 : 80, 0.0f);
    const ClassifierProblem problem = task.problem(ClassifierLoss::kSoftmax);
    train_classifier_span(problem, *find_kernels("auto"), 0, 50, 1);
    CHECK(std::all_of(task.output.data(), task.output.data() + 3 * kRowAlign,
                      [](float x) { return x == 0; }));
  }
}

TEST_CASE("numbers that are not finite end a span") {
  Task task;
  task.input[0] = std::numeric_limits<float>::quiet_NaN();
  const ClassifierProblem problem = task.problem(ClassifierLoss::kSoftmax);
  CHECK(!train_classifier_span(problem, *find_kernels("auto"), 0, 50, 1).finite);
}

}  // namespace

TEST_CASE("threads that move rows of their own lose no step") {
  FloatBuffer data(2 * kRowAlign);
  data.data()[3] = 5;
  const HogwildMatrix common(data.data(), 2, kRowAlign);
  OwnRows first(common), second(common);
  first.row(0)[3] += 1;
  second.row(0)[3] += 2;
  second.row(1)[0] = -4;
  first.exchange();
  second.exchange();
  first.exchange();
  CHECK(common.row(0)[3] == 8);
  CHECK(common.row(1)[0] == -4);
  CHECK(first.row(0)[3] == 8);
  CHECK(first.row(1)[0] == -4);
}

}  // namespace brasa
