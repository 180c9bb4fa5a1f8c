// Prediction, for brasa.text_classifier.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "predict/predictor.h"
#include "predict/true_labels.h"
#include "quantized_rows.h"
#include "text/word_index.h"
#include "words.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace brasa {
namespace {

// Bytes and where each word of them begins.
struct Words {
  Vector<const uint8_t> arena;
  Vector<const int64_t> offsets;
  WordIndex index;

  Words(Vector<const uint8_t> bytes, Vector<const int64_t> places)
      : arena(std::move(bytes)), offsets(std::move(places)), index(view_words(arena, offsets)) {}
};

LabelLoss loss_named(std::string_view name) {
  if (name == "softmax") return LabelLoss::kSoftmax;
  if (name == "hs") return LabelLoss::kTree;
  if (name == "ns" || name == "ova") return LabelLoss::kSigmoid;
  throw std::invalid_argument("no such loss");
}

// Whether line ends are refused.
enum class TextKind { kLine, kAny };

// The bytes of texts, which stay as long as this does.
class Texts {
 public:
  Texts(const nb::list& texts, TextKind kind) {
    owners_.reserve(texts.size());
    bytes_.reserve(texts.size());
    views_.reserve(texts.size());
    for (nb::handle text : texts) {
      if (!nb::isinstance<nb::str>(text)) throw nb::type_error("texts must be str");
      owners_.push_back(nb::borrow(text));
      bytes_.emplace_back(text);
      if (!bytes_.back().encodable()) throw nb::value_error("a lone surrogate is no text");
      views_.push_back(bytes_.back().view());
      if (kind == TextKind::kLine && views_.back().find('\n') != std::string_view::npos) {
        throw nb::value_error("a text has several lines");
      }
    }
  }

  std::span<const std::string_view> views() const { return views_; }

 private:
  std::vector<nb::object> owners_;
  std::vector<StringBytes> bytes_;
  std::vector<std::string_view> views_;
};

// Python's collector is not called while this lives. It runs after every 700 new lists or tuples,
// and would walk over those of a result again and again.
class NoCollection {
 public:
  NoCollection() : was_on_(PyGC_Disable()) {}
  ~NoCollection() {
    if (was_on_) PyGC_Enable();
  }
  NoCollection(const NoCollection&) = delete;
  NoCollection& operator=(const NoCollection&) = delete;

 private:
  int was_on_;
};

// A list of `n` items: those that `make` gives for 0, 1, ...
template <typename Make>
nb::list list_of(size_t n, const Make& make) {
  PyObject* const made = PyList_New(static_cast<Py_ssize_t>(n));
  if (made == nullptr) throw nb::python_error();
  nb::list result = nb::steal<nb::list>(made);
  for (size_t i = 0; i < n; ++i) {
    nb::object item = make(i);
    PyList_SetItem(made, static_cast<Py_ssize_t>(i), item.release().ptr());
  }
  return result;
}

// A list of pairs of a name and a probability for each text, of what `predict` gives. 5,000 texts
// take 0.9 ms, of three labels each 2.6; comprehensions in Python took 9 and 13.
nb::list name_predictions(const nb::list& names, std::span<const int64_t> offsets,
                          std::span<const int32_t> labels, std::span<const float> probabilities) {
  const NoCollection guard;
  return list_of(offsets.empty() ? 0 : offsets.size() - 1, [&](size_t text) {
    const auto first = static_cast<size_t>(offsets[text]);
    const auto last = static_cast<size_t>(offsets[text + 1]);
    if (first > last || last > labels.size() || last > probabilities.size()) {
      throw nb::index_error("offsets");
    }
    return list_of(last - first, [&](size_t i) {
      const auto label = static_cast<size_t>(labels[first + i]);
      if (label >= names.size()) throw nb::index_error("labels");
      return nb::make_tuple(names[label], static_cast<double>(probabilities[first + i]));
    });
  });
}

class Classifier {
 public:
  Classifier(Vector<const uint8_t> word_bytes, Vector<const int64_t> word_offsets,
             Vector<const uint8_t> label_bytes, Vector<const int64_t> label_offsets,
             const Vector<const int64_t>& label_counts, const nb::bytes& label_prefix,
             const std::string& loss, int word_ngrams, int min_char, int max_char, uint32_t buckets,
             Vector<const uint32_t> bucket_ids, std::optional<Vector<const int32_t>> bucket_rows,
             bool drops_other_buckets, std::optional<Rows> rows, std::optional<QuantizedRows> codes,
             const Rows& output)
      : words_(std::move(word_bytes), std::move(word_offsets)),
        labels_(std::move(label_bytes), std::move(label_offsets)),
        label_prefix_(label_prefix.c_str(), label_prefix.size()),
        bucket_ids_(std::move(bucket_ids)),
        bucket_rows_(std::move(bucket_rows)),
        rows_(std::move(rows)),
        codes_(std::move(codes)),
        predictor_(rules(word_ngrams, min_char, max_char, buckets, drops_other_buckets), input(),
                   view(output), loss_named(loss), view(label_counts)) {}

  // Offsets, labels, probabilities.
  nb::tuple predict(const nb::list& lines, size_t k, double threshold, double epsilon) const {
    return arrays_of(predictions(lines, {k, threshold, epsilon}));
  }

  // The same as lists of pairs of an item of `names` and a probability.
  nb::list predict_named(const nb::list& lines, const nb::list& names, size_t k, double threshold,
                         double epsilon) const {
    const Predictions found = predictions(lines, {k, threshold, epsilon});
    const auto [labels, probabilities] = columns(found);
    return name_predictions(names, found.offsets, labels, probabilities);
  }

  // The predictions of one text as pairs of an item of `names` and a probability: what a loop over
  // texts calls, so no arrays are made.
  nb::list predict_one(const nb::str& line, const nb::list& names, size_t k, double threshold,
                       double epsilon) const {
    const StringBytes bytes(line);
    if (!bytes.encodable()) throw nb::value_error("a lone surrogate is no text");
    const std::string_view text = bytes.view();
    std::vector<Prediction> found;
    {
      const nb::gil_scoped_release release;
      found = predictor_.predict_one(text, {k, threshold, epsilon});
    }
    nb::list result;
    for (const Prediction& item : found) {
      const auto probability = static_cast<double>(static_cast<float>(item.probability));
      result.append(nb::make_tuple(names[static_cast<size_t>(item.label)], probability));
    }
    return result;
  }

  // What `predict` gives for each line of a text, and then the labels that the line names: offsets,
  // labels, and how many are unknown.
  nb::tuple test(const nb::bytes& text, size_t k, double threshold, double epsilon) const {
    Predictions found;
    TrueLabels wanted;
    {
      const std::string_view bytes(text.c_str(), text.size());
      const nb::gil_scoped_release release;
      const std::vector<std::string_view> lines = split_lines(bytes);
      found = predictor_.predict(lines, {k, threshold, epsilon});
      wanted = true_labels(lines);
    }
    return nb::make_tuple(arrays_of(std::move(found)), to_numpy(std::move(wanted.offsets)),
                          to_numpy(std::move(wanted.labels)), wanted.n_unknown);
  }

  // Offsets, rows, counts: see `Features`.
  nb::tuple features(const nb::list& lines) const {
    const Texts texts(lines, TextKind::kLine);
    Features found;
    {
      const nb::gil_scoped_release release;
      found = predictor_.features(texts.views());
    }
    return arrays_of(std::move(found));
  }

  // What `features` gives for each line of a text, and then what `test` gives.
  nb::tuple labeled_features(const nb::bytes& text) const {
    Features found;
    TrueLabels wanted;
    {
      const std::string_view bytes(text.c_str(), text.size());
      const nb::gil_scoped_release release;
      const std::vector<std::string_view> lines = split_lines(bytes);
      found = predictor_.features(lines);
      wanted = true_labels(lines);
    }
    return nb::make_tuple(arrays_of(std::move(found)), to_numpy(std::move(wanted.offsets)),
                          to_numpy(std::move(wanted.labels)), wanted.n_unknown);
  }

  void vectors(const nb::list& lines, bool as_words,
               nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu> out) const {
    const Texts texts(lines, TextKind::kAny);  // the caller has looked for line ends
    const size_t dim = rows_ ? rows_->shape(1) : codes_->dim;
    if (out.shape(0) != texts.views().size() || out.shape(1) != dim) {
      throw std::invalid_argument("shapes do not agree");
    }
    const std::span<float> result{out.data(), out.size()};
    const nb::gil_scoped_release release;
    predictor_.vectors(texts.views(), as_words, result);
  }

 private:
  TrueLabels true_labels(const std::vector<std::string_view>& lines) const {
    return find_labels(lines, labels_.index, view_words(labels_.arena, labels_.offsets),
                       label_prefix_);
  }
  static nb::tuple arrays_of(Features&& found) {
    return nb::make_tuple(to_numpy(std::move(found.offsets)), to_numpy(std::move(found.rows)),
                          to_numpy(std::move(found.counts)));
  }
  static nb::tuple arrays_of(Predictions&& found) {
    auto [labels, probabilities] = columns(found);
    return nb::make_tuple(to_numpy(std::move(found.offsets)), to_numpy(std::move(labels)),
                          to_numpy(std::move(probabilities)));
  }
  static std::pair<std::vector<int32_t>, std::vector<float>> columns(const Predictions& found) {
    std::vector<int32_t> labels;
    std::vector<float> probabilities;
    labels.reserve(found.items.size());
    probabilities.reserve(found.items.size());
    for (const Prediction& item : found.items) {
      labels.push_back(item.label);
      probabilities.push_back(static_cast<float>(item.probability));
    }
    return {std::move(labels), std::move(probabilities)};
  }
  Predictions predictions(const nb::list& lines, const PredictionOptions& options) const {
    const Texts texts(lines, TextKind::kLine);
    const nb::gil_scoped_release release;
    return predictor_.predict(texts.views(), options);
  }
  FeatureRules rules(int word_ngrams, int min_char, int max_char, uint32_t buckets,
                     bool drops_other_buckets) const {
    FeatureRules rules;
    rules.words = &words_.index;
    rules.labels = &labels_.index;
    rules.label_prefix = label_prefix_;
    rules.n_words = words_.offsets.size() - 1;
    rules.ngrams = {min_char, max_char, buckets, view(bucket_ids_)};
    if (bucket_rows_) rules.bucket_rows = view(*bucket_rows_);
    rules.word_ngrams = word_ngrams;
    rules.drops_other_buckets = drops_other_buckets;
    return rules;
  }
  InputRows input() const {
    if (rows_.has_value() == codes_.has_value()) {
      throw std::invalid_argument("either rows or codes");
    }
    return rows_ ? InputRows(view(*rows_)) : codes_->rows();
  }

  Words words_, labels_;
  std::string label_prefix_;
  Vector<const uint32_t> bucket_ids_;
  std::optional<Vector<const int32_t>> bucket_rows_;
  std::optional<Rows> rows_;
  std::optional<QuantizedRows> codes_;
  Predictor predictor_;
};

}  // namespace

void bind_predict(nb::module_& module) {
  module.def(
      "name_predictions",
      [](const nb::list& names, const Vector<const int64_t>& offsets,
         const Vector<const int32_t>& labels, const Vector<const float>& probabilities) {
        return name_predictions(names, view(offsets), view(labels), view(probabilities));
      },
      "names"_a, "offsets"_a, "labels"_a, "probabilities"_a);
  nb::class_<Classifier>(module, "Classifier")
      .def(nb::init<Vector<const uint8_t>, Vector<const int64_t>, Vector<const uint8_t>,
                    Vector<const int64_t>, const Vector<const int64_t>&, const nb::bytes&,
                    const std::string&, int, int, int, uint32_t, Vector<const uint32_t>,
                    std::optional<Vector<const int32_t>>, bool, std::optional<Rows>,
                    std::optional<QuantizedRows>, const Rows&>(),
           "word_bytes"_a.noconvert(), "word_offsets"_a.noconvert(), "label_bytes"_a.noconvert(),
           "label_offsets"_a.noconvert(), "label_counts"_a.noconvert(), "label_prefix"_a, "loss"_a,
           "word_ngrams"_a, "min_char"_a, "max_char"_a, "buckets"_a, "bucket_ids"_a.noconvert(),
           "bucket_rows"_a.noconvert().none(), "drops_other_buckets"_a, "rows"_a.noconvert().none(),
           "codes"_a.none(), "output"_a.noconvert())
      .def("predict", &Classifier::predict, "lines"_a, "k"_a, "threshold"_a, "epsilon"_a)
      .def("predict_named", &Classifier::predict_named, "lines"_a, "names"_a, "k"_a, "threshold"_a,
           "epsilon"_a)
      .def("predict_one", &Classifier::predict_one, "line"_a, "names"_a, "k"_a, "threshold"_a,
           "epsilon"_a)
      .def("test", &Classifier::test, "text"_a, "k"_a, "threshold"_a, "epsilon"_a)
      .def("features", &Classifier::features, "lines"_a,
           "Input rows of each line in compressed rows, and what their sum is divided by.")
      .def("labeled_features", &Classifier::labeled_features, "text"_a)
      .def("vectors", &Classifier::vectors, "lines"_a, "as_words"_a, "out"_a.noconvert());
}

}  // namespace brasa
