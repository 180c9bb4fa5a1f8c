#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "predict/label_tree.h"
#include "predict/predictor.h"
#include "predict/true_labels.h"
#include "predict/word_sums.h"
#include "text/subwords.h"

namespace brasa {
namespace {

struct Packed {
  std::string bytes;
  std::vector<int64_t> offsets{0};

  explicit Packed(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      bytes += word;
      offsets.push_back(static_cast<int64_t>(bytes.size()));
    }
  }
  WordsView view() const { return {{bytes.data(), bytes.size()}, offsets}; }
};

// Three words, bigrams of words in ten buckets, random rows, `n_labels` labels.
class Model {
 public:
  static constexpr size_t kDim = 5;

  explicit Model(size_t n_labels) : names_(n_labels) {
    std::mt19937 random(4);
    std::normal_distribution<float> normal;
    for (uint32_t id = 0; id < 10; ++id) ids_.push_back(id);
    rows_.resize((3 + ids_.size()) * kDim);
    output_.resize(n_labels * kDim);
    for (float& number : rows_) number = normal(random);
    for (float& number : output_) number = normal(random);
    for (size_t i = 0; i < n_labels; ++i) counts_.push_back(static_cast<int64_t>(n_labels - i));
    rules_.words = &word_index_;
    rules_.labels = &label_index_;
    rules_.label_prefix = "__label__";
    rules_.n_words = 3;
    rules_.ngrams = {0, 0, 10, ids_};
    rules_.word_ngrams = 2;
  }

  Predictor predictor(LabelLoss loss) const {
    return {rules_,
            InputRows({rows_.data(), rows_.size() / kDim, kDim, kDim}),
            {output_.data(), names_, kDim, kDim},
            loss,
            counts_};
  }
  FeatureRules& rules() { return rules_; }
  std::span<const int64_t> counts() const { return counts_; }

  // The mean of rows, as a plain loop has it.
  std::vector<double> mean(const std::vector<size_t>& rows) const {
    std::vector<double> sum(kDim);
    for (const size_t row : rows) {
      for (size_t d = 0; d < kDim; ++d) sum[d] += rows_[row * kDim + d];
    }
    for (double& number : sum) number /= static_cast<double>(rows.size());
    return sum;
  }
  double score(size_t label, const std::vector<double>& hidden) const {
    double sum = 0;
    for (size_t d = 0; d < kDim; ++d) sum += output_[label * kDim + d] * hidden[d];
    return sum;
  }

 private:
  size_t names_;
  Packed words_{{"fire", "ember", "</s>"}}, labels_{{"a", "b"}};
  WordIndex word_index_{words_.view()}, label_index_{labels_.view()};
  std::vector<uint32_t> ids_;
  std::vector<float> rows_, output_;
  std::vector<int64_t> counts_;
  FeatureRules rules_;
};

size_t bucket_row(std::string_view a, std::string_view b) {
  const auto hash = [](std::string_view word) {
    return static_cast<uint64_t>(int64_t{static_cast<int32_t>(hash_word(word))});
  };
  return 3 + (hash(a) * 116049371 + hash(b)) % 10;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST_CASE("the label tree joins the two lightest, as fastText does") {
  const std::vector<int64_t> counts{8, 4, 2, 1};
  using Pair = std::pair<int32_t, int32_t>;
  CHECK(build_label_tree(counts) == std::vector<Pair>{{3, 2}, {4, 1}, {5, 0}});
  CHECK(build_label_tree(std::vector<int64_t>{5}).empty());
  CHECK(build_label_tree(std::vector<int64_t>{}).empty());
  // Counts that lie: sums beyond 2^63, none, negative ones. Each node has one parent.
  const int64_t huge = std::numeric_limits<int64_t>::max();
  for (const std::vector<int64_t>& lying :
       {std::vector<int64_t>{huge, huge, huge}, {0, 0, 0, 0}, {-5, 7, -huge, huge, 1}}) {
    std::vector<int> seen(2 * lying.size() - 1);
    for (const auto& [left, right] : build_label_tree(lying)) {
      ++seen[static_cast<size_t>(left)];
      ++seen[static_cast<size_t>(right)];
    }
    CHECK(std::count(seen.begin(), seen.end() - 1, 1) == std::ssize(seen) - 1);
    CHECK(seen.back() == 0);
  }
}

TEST_CASE("a line's features are its words, runs of words and the line end") {
  const Model model(2);
  std::vector<float> found(Model::kDim);
  const std::vector<std::string_view> line{"  fire __label__x\tember\0"};
  model.predictor(LabelLoss::kSoftmax).vectors(line, false, found);
  const std::vector<double> expected =
      model.mean({0, 1, 2, bucket_row("fire", "ember"), bucket_row("ember", "</s>")});
  for (size_t d = 0; d < Model::kDim; ++d) CHECK(found[d] == doctest::Approx(expected[d]));
  const std::vector<std::string_view> unknown{"x"};
  model.predictor(LabelLoss::kSoftmax).vectors(unknown, true, found);
  CHECK(found == std::vector<float>(Model::kDim));
}

TEST_CASE("each loss gives its probabilities") {
  const Model model(3);
  const std::vector<std::string_view> line{"fire"};
  const std::vector<double> hidden = model.mean({0, 2, bucket_row("fire", "</s>")});
  double sum = 0;
  for (size_t i = 0; i < 3; ++i) sum += std::exp(model.score(i, hidden));
  const auto tree = build_label_tree(model.counts());
  REQUIRE(tree[1].first == 3);  // the pair of labels 2 and 1 is lighter than label 0
  const double root = sigmoid(model.score(1, hidden)), inner = sigmoid(model.score(0, hidden));
  const double by_tree[] = {root, (1 - root) * inner, (1 - root) * (1 - inner)};
  for (const LabelLoss loss : {LabelLoss::kSoftmax, LabelLoss::kTree, LabelLoss::kSigmoid}) {
    const Predictions found = model.predictor(loss).predict(line, {.k = 3});
    REQUIRE(found.items.size() == 3);
    for (const Prediction& item : found.items) {
      const auto label = static_cast<size_t>(item.label);
      const double score = model.score(label, hidden);
      // fastText's table of sigmoids has steps of 1/32.
      const double tolerance = loss == LabelLoss::kSigmoid ? 1.0 / 128 : 1e-6;
      const double expected = loss == LabelLoss::kSoftmax ? std::exp(score) / sum
                              : loss == LabelLoss::kTree  ? by_tree[label]
                                                          : sigmoid(score);
      CHECK(std::abs(item.probability - expected) <= tolerance);
    }
  }
}

TEST_CASE("a batch has the predictions of its lines") {
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) {
    texts.push_back(i % 7 == 0 ? "" : i % 2 == 0 ? "fire " + std::to_string(i) : "ember fire x");
  }
  const std::vector<std::string_view> lines(texts.begin(), texts.end());
  for (const size_t n_labels : {0UL, 1UL, 2UL, 70UL}) {
    const Model model(n_labels);
    for (const LabelLoss loss : {LabelLoss::kSoftmax, LabelLoss::kTree, LabelLoss::kSigmoid}) {
      const Predictor predictor = model.predictor(loss);
      for (const PredictionOptions& options :
           {PredictionOptions{.k = 0}, {.k = 2}, {.k = 1000}, {.k = 5, .threshold = 0.3}}) {
        const Predictions all = predictor.predict(lines, options);
        REQUIRE(all.offsets.size() == lines.size() + 1);
        for (size_t i = 0; i < lines.size(); ++i) {
          const std::vector<Prediction> one = predictor.predict_one(lines[i], options);
          const auto begin = static_cast<size_t>(all.offsets[i]);
          REQUIRE(all.offsets[i + 1] - all.offsets[i] == std::ssize(one));
          for (size_t j = 0; j < one.size(); ++j) {
            CHECK(std::abs(all.items[begin + j].probability - one[j].probability) < 1e-5);
          }
        }
      }
    }
  }
}

// Enough lines for sums of words to be kept, and each word twice: first summed, then met again.
TEST_CASE("sums that are kept for many lines change nothing") {
  std::mt19937 random(3);
  const std::vector<std::string> words{"fire", "ember", "</s>", "__label__a", "x", "firebird"};
  std::vector<std::string> texts(5000);
  for (std::string& text : texts) {
    const unsigned n_words = random() % 100 == 0 ? 300 : random() % 6;
    for (unsigned n = n_words; n > 0; --n) text += words[random() % words.size()] + " ";
  }
  const std::vector<std::string_view> lines(texts.begin(), texts.end());
  Model model(4);
  model.rules().ngrams.min_char = 2;
  model.rules().ngrams.max_char = 5;
  const Predictor predictor = model.predictor(LabelLoss::kSoftmax);
  for (int pass = 0; pass < 2; ++pass) {
    const Predictions all = predictor.predict(lines, {.k = 4});
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::vector<Prediction> one = predictor.predict_one(lines[i], {.k = 4});
      const auto begin = static_cast<size_t>(all.offsets[i]);
      REQUIRE(all.offsets[i + 1] - all.offsets[i] == std::ssize(one));
      for (size_t j = 0; j < one.size(); ++j) {
        REQUIRE(std::abs(all.items[begin + j].probability - one[j].probability) < 1e-5);
      }
    }
  }
}

TEST_CASE("sums of words are kept while there is room, the first of each word") {
  const size_t dim = 1 << 20, n_words = 100;  // 4 MB each
  WordSums sums(n_words, dim);
  std::vector<float> sum(dim, 1.0F);
  sums.keep(7, sum, 4096);  // too many features to be noted
  CHECK(sums.find(7).numbers == nullptr);
  sums.keep(8, sum, 3);
  sum[dim - 1] = 2.0F;
  sums.keep(8, sum, 5);
  REQUIRE(sums.find(8).numbers != nullptr);
  CHECK(sums.find(8).n_features == 3);
  CHECK(sums.find(8).numbers[dim - 1] == 1.0F);
  size_t n_kept = 0;
  for (size_t word = 0; word < n_words; ++word) {
    sums.keep(static_cast<int32_t>(word), sum, 1);
    n_kept += sums.find(static_cast<int32_t>(word)).numbers != nullptr ? 1 : 0;
  }
  CHECK(n_kept > 4);
  CHECK(n_kept <= 8);
}

TEST_CASE("a tree as deep as it has labels is walked to its end") {
  const size_t n_labels = 20'000;
  Model model(n_labels);
  const Predictor predictor = model.predictor(LabelLoss::kTree);
  const std::vector<std::string_view> line{"fire ember"};
  CHECK(predictor.predict(line, {.k = n_labels}).items.size() == n_labels);
}

TEST_CASE("bytes of every kind are a line") {
  std::mt19937 random(8);
  Model model(3);
  model.rules().ngrams.min_char = 2;
  model.rules().ngrams.max_char = 4;
  model.rules().word_ngrams = std::numeric_limits<int>::max();
  const Predictor predictor = model.predictor(LabelLoss::kTree);
  for (int i = 0; i < 500; ++i) {
    std::string text(random() % 60, '\0');
    for (char& c : text)
      c = static_cast<char>(i % 2 == 0 ? random() : "\xc3 f\0<\xff>"[random() % 7]);
    const std::string_view line = text;
    CHECK(predictor.predict({&line, 1}, {.k = 2}).items.size() == 2);
  }
}

TEST_CASE("shapes that do not agree are refused") {
  Model model(3);
  const std::vector<int32_t> rows{0, 10};
  model.rules().bucket_rows = rows;
  CHECK_THROWS_AS(model.predictor(LabelLoss::kTree), std::invalid_argument);
  model.rules().bucket_rows = {};
  model.rules().n_words = 4;
  CHECK_THROWS_AS(model.predictor(LabelLoss::kTree), std::invalid_argument);
  const std::vector<float> centroids(kCentroids * 3);
  const std::vector<uint8_t> codes(7);
  CHECK_THROWS_AS(InputRows(codes, {centroids, 3, 2}, {}, {}), std::invalid_argument);
  CHECK_THROWS_AS(InputRows(codes, {centroids, 4, 1}, {}, {}), std::invalid_argument);
}

TEST_CASE("codes stand for centroids, the last part shorter than the others") {
  for (const size_t part_dim : {1UL, 2UL, 3UL, 9UL}) {
    const size_t dim = 5;
    std::vector<float> centroids(kCentroids * dim);
    for (size_t i = 0; i < centroids.size(); ++i) centroids[i] = static_cast<float>(i);
    const CodeBook book{centroids, dim, part_dim};
    const std::vector<uint8_t> codes(2 * book.n_parts(), 255), norm_codes{0, 2};
    std::vector<float> norms(kCentroids);
    norms[2] = 0.5F;
    const InputRows rows(codes, book, norm_codes, {norms, 1, 1});
    REQUIRE(rows.n_rows() == 2);
    std::vector<float> sum(dim, 1.0F);
    rows.add(std::vector<size_t>{0, 0}, sum);
    CHECK(sum == std::vector<float>(dim, 1.0F));
    rows.add(std::vector<size_t>{1}, sum);
    for (size_t d = 0; d < dim; ++d) {
      const size_t begin = d / part_dim * part_dim;
      const size_t width = std::min(part_dim, dim - begin);
      const size_t at = begin * kCentroids + 255 * width + (d - begin);
      CHECK(sum[d] == 1.0F + 0.5F * static_cast<float>(at));
    }
  }
}

TEST_CASE("an empty word is found where there are no bytes at all") {
  const std::vector<int64_t> offsets{0, 0};
  const WordIndex index(WordsView{{}, offsets});
  CHECK(index.find({}) == 0);
  CHECK(index.find("a") == -1);
}

TEST_CASE("lines name labels, known and unknown ones") {
  const Packed labels({"__label__a", "__label__b"});
  const WordIndex index(labels.view());
  const std::vector<std::string_view> lines =
      split_lines("__label__b x __label__a\n\n__label__c y\n__label__a");
  REQUIRE(lines.size() == 4);
  const TrueLabels found = find_labels(lines, index, labels.view(), "__label__");
  CHECK(found.offsets == std::vector<int64_t>{0, 2, 2, 2, 3});
  CHECK(found.labels == std::vector<int32_t>{1, 0, 0});
  CHECK(found.n_unknown == 1);
}

}  // namespace
}  // namespace brasa
