// Labels and their probabilities, for many texts at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "lookup/input_rows.h"
#include "predict/label_tree.h"
#include "predict/text_features.h"
#include "predict/word_sums.h"
#include "simd/kernels.h"
#include "train/step.h"

namespace brasa {

// How scores become probabilities.
enum class LabelLoss {
  kSoftmax,
  kTree,     // hierarchical softmax
  kSigmoid,  // negative sampling and one-vs-all: each label on its own
};

struct PredictionOptions {
  size_t k = 1;
  double threshold = 0;
  // Added to each probability, or to each factor of a tree's: fastText reports them with the 1e-5
  // that keeps its logarithms finite.
  double epsilon = 0;
};

// Predictions of text i are items[offsets[i]] .. items[offsets[i + 1]], best first; none for a text
// without features.
struct Predictions {
  std::vector<int64_t> offsets;
  std::vector<Prediction> items;
};

// Rows of the input matrix for each text, rows[offsets[i]] .. rows[offsets[i + 1]], and by how many
// their sum is divided to get the text's vector: a bucket without a row counts as zeros.
struct Features {
  std::vector<int64_t> offsets;
  std::vector<int32_t> rows;
  std::vector<int32_t> counts;
};

class Predictor {
 public:
  // `output` has one row a label; it is copied, since kernels want rows padded and aligned. Rules
  // and input are referred to. Throws std::invalid_argument if the sizes do not agree.
  Predictor(const FeatureRules& rules, const InputRows& input, const RowView& output,
            LabelLoss loss, std::span<const int64_t> label_counts);
  ~Predictor();
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;

  // Threads share the texts; one text or a few are done by the caller's.
  Predictions predict(std::span<const std::string_view> texts,
                      const PredictionOptions& options) const;
  // The same for one text, with the buffers of the call before: what a loop over texts calls.
  std::vector<Prediction> predict_one(std::string_view text,
                                      const PredictionOptions& options) const;
  // The mean of each line's rows (a word's, if `as_words`), zeros where there is none:
  // texts.size() x dim.
  void vectors(std::span<const std::string_view> texts, bool as_words, std::span<float> out) const;

  // What the texts' vectors are the means of, for whoever computes these elsewhere.
  Features features(std::span<const std::string_view> texts) const;

 private:
  class Worker;

  // Workers remember words, and making one costs more than predicting a text.
  std::unique_ptr<Worker> take_worker(const PredictionOptions& options,
                                      WordSums* sums = nullptr) const;
  void give_back(std::unique_ptr<Worker> worker) const;
  // Null where they would not pay for this many texts. What was kept for them stays.
  WordSums* word_sums(size_t n_texts) const;

  FeatureRules rules_;
  BucketIndex bucket_index_;
  InputRows input_;
  size_t n_labels_;
  size_t stride_;
  LabelLoss loss_;
  FloatBuffer output_;
  std::vector<const float*> output_rows_;
  LabelTree tree_;
  const Kernels* kernels_;
  mutable std::mutex mutex_;  // guards what follows
  mutable std::vector<std::unique_ptr<Worker>> idle_;
  mutable std::unique_ptr<WordSums> word_sums_;
};

}  // namespace brasa
