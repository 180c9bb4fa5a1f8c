#include "predict/predictor.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <stdexcept>

#include "parallel/parallel_for.h"
#include "simd/exponential.h"

namespace brasa {
namespace {

// Texts of one task: each thread takes several in turn, since not all begin or end at once.
constexpr size_t kTextsPerTask = 64;
// From this many texts on, a tile of kLanes texts is scored at once: its cost is that of about four
// single ones.
constexpr size_t kMinTile = 4;
// Words that a worker remembers; 8,192 take 256 KB, half of the second-level cache. With 2,048 of
// them 119,000 texts of imdb take a second, with 8,192 143,000.
constexpr size_t kRecentWords = 8192;
// From this many texts on, sums of words are kept: up to 32 MB that fewer texts would not fill.
constexpr size_t kMinTextsWithSums = 1000;

// fastText's sigmoid: 512 steps over [-8, 8].
class SigmoidTable {
 public:
  SigmoidTable() {
    for (size_t i = 0; i < values_.size(); ++i) {
      const double x = static_cast<double>(i) / kStepsPerUnit - kRange;
      values_[i] = static_cast<float>(1 / (1 + std::exp(-x)));
    }
  }
  float operator()(float x) const {
    if (x < -kRange) return 0;
    if (x > kRange) return 1;
    if (std::isnan(x)) return x;
    return values_[static_cast<size_t>((x + kRange) * kStepsPerUnit)];
  }

 private:
  static constexpr float kRange = 8;
  static constexpr float kStepsPerUnit = 32;
  std::array<float, 513> values_;
};

const SigmoidTable& sigmoid_table() {
  static const SigmoidTable table;
  return table;
}

}  // namespace

// One thread's buffers and the steps from text to labels.
class Predictor::Worker {
 public:
  explicit Worker(const Predictor& predictor)
      : model_(predictor),
        features_(predictor.rules_, kRecentWords),
        word_features_(predictor.rules_),
        best_(kLanes, BestLabels(0, 0)),
        hidden_(kLanes * predictor.stride_),
        transposed_(kLanes * predictor.stride_),
        scores_(predictor.loss_ == LabelLoss::kTree ? 0 : predictor.n_labels_ * kLanes) {}

  // After a text of a megabyte its buffers have tens of them.
  bool is_worth_keeping() const { return features_.longest_line() < size_t{1} << 20; }

  void begin(const PredictionOptions& options, WordSums* sums) {
    options_ = options;
    word_sums_ = sums;
    for (BestLabels& best : best_) best.reset(options.k, bound(model_, options));
  }

  std::vector<Prediction> predict_one(std::string_view text) {
    std::vector<Prediction> found;
    best_[0].reset();
    features_.read_line(text);
    if (write_mean(hidden(0)) == 0) return found;
    model_.loss_ == LabelLoss::kTree ? descend(0) : score_one(0);
    for (const Prediction& p : best_[0].sorted()) {
      found.push_back({p.probability + added(), p.label});
    }
    return found;
  }

  // Up to kLanes texts.
  void predict(std::span<const std::string_view> texts, Predictions& out) {
    std::array<bool, kLanes> known{};
    for (size_t i = 0; i < texts.size(); ++i) {
      best_[i].reset();
      features_.read_line(texts[i], word_sums_ != nullptr);
      known[i] = write_mean(hidden(i)) > 0;
    }
    if (model_.loss_ != LabelLoss::kTree && texts.size() >= kMinTile) {
      score_tile(texts.size());
    } else {
      for (size_t i = 0; i < texts.size(); ++i) {
        if (!known[i]) continue;
        model_.loss_ == LabelLoss::kTree ? descend(i) : score_one(i);
      }
    }
    for (size_t i = 0; i < texts.size(); ++i) {
      if (known[i]) {
        for (const Prediction& p : best_[i].sorted()) {
          out.items.push_back({p.probability + added(), p.label});
        }
      }
      out.offsets.push_back(static_cast<int64_t>(out.items.size()));
    }
  }

  void write_vector(std::string_view text, bool as_word, float* out) {
    as_word ? features_.read_word(text) : features_.read_line(text);
    write_mean(out);
  }

 private:
  // In a tree the epsilon is in every factor, and fastText adds it to the threshold too.
  static double bound(const Predictor& predictor, const PredictionOptions& options) {
    return options.threshold + (predictor.loss_ == LabelLoss::kTree ? options.epsilon : 0);
  }
  double added() const { return model_.loss_ == LabelLoss::kTree ? 0 : options_.epsilon; }
  float* hidden(size_t lane) { return hidden_.data() + lane * model_.stride_; }

  // Gives the number of features.
  size_t write_mean(float* out) {
    const InputRows& input = model_.input_;
    const std::span<float> sum{out, input.dim()};
    std::ranges::fill(sum, 0.0F);
    input.add(features_.rows(), sum);
    size_t count = features_.count();
    if (word_sums_ != nullptr) count += add_known_words(features_.known_words(), sum);
    divide(sum, count);
    return count;
  }

  // Gives the number of their features. A word's rows are summed first, whether or not the sum is
  // kept, so that results do not depend on what was met before.
  size_t add_known_words(std::span<const TextFeatures::KnownWord> words, std::span<float> out) {
    constexpr size_t kAtOnce = 64;
    const size_t dim = out.size();
    new_sums_.resize(kAtOnce * dim);
    std::array<const float*, kAtOnce> sums;
    size_t count = 0;
    for (size_t first = 0; first < words.size(); first += kAtOnce) {
      const std::span some = words.subspan(first, std::min(kAtOnce, words.size() - first));
      for (const auto& word : some) word_sums_->prefetch(word.index);
      for (size_t i = 0; i < some.size(); ++i) {
        WordSums::Sum sum = word_sums_->find(some[i].index);
        if (sum.numbers == nullptr) {
          const std::span numbers = std::span(new_sums_).subspan(i * dim, dim);
          sum = {numbers.data(), sum_up(some[i], numbers)};
        }
        prefetch_row(sum.numbers, dim);
        sums[i] = sum.numbers;
        count += sum.n_features;
      }
      add_rows({sums.data(), some.size()}, out);
    }
    return count;
  }

  // Writes the sum of a word's rows; gives their number.
  size_t sum_up(const TextFeatures::KnownWord& word, std::span<float> sum) {
    word_features_.read_word(word);
    std::ranges::fill(sum, 0.0F);
    model_.input_.add(word_features_.rows(), sum);
    word_sums_->keep(word.index, sum, word_features_.count());
    return word_features_.count();
  }

  void score_one(size_t lane) {
    const size_t n = model_.n_labels_;
    model_.kernels_->dot_rows(hidden(lane), model_.output_rows_.data(), n, model_.stride_,
                              scores_.data());
    to_probabilities(scores_.data(), 1);
    for (size_t r = 0; r < n; ++r) best_[lane].offer(scores_[r], static_cast<int32_t>(r));
  }

  // All labels for kLanes texts: each output row is read once for all of them. Lanes without a text
  // have the numbers of the tile before; nobody looks at them.
  void score_tile(size_t n_texts) {
    const size_t stride = model_.stride_, n = model_.n_labels_;
    model_.kernels_->transpose_tile(hidden_.data(), stride, transposed_.data());
    model_.kernels_->score_tile(transposed_.data(), model_.output_rows_.data(), n,
                                model_.input_.dim(), kLanes, scores_.data());
    to_probabilities(scores_.data(), kLanes);
    std::array<float, kLanes> bounds;
    bounds.fill(std::numeric_limits<float>::infinity());
    for (size_t i = 0; i < n_texts; ++i) bounds[i] = lower_bound(i);
    for (size_t r = 0; r < n; ++r) {
      const float* row = scores_.data() + r * kLanes;
      int n_reached = 0;
      for (size_t i = 0; i < kLanes; ++i) n_reached += row[i] >= bounds[i] ? 1 : 0;
      if (n_reached == 0) continue;
      for (size_t i = 0; i < n_texts; ++i) {
        if (!(row[i] >= bounds[i])) continue;
        best_[i].offer(row[i], static_cast<int32_t>(r));
        bounds[i] = lower_bound(i);
      }
    }
  }

  // As a float that is not above the bound: `offer` decides.
  float lower_bound(size_t lane) const {
    const double exact = best_[lane].bound();
    const auto rounded = static_cast<float>(exact);
    return rounded > exact ? std::nextafter(rounded, -1.0F) : rounded;
  }

  // In place, for `n_lanes` texts whose scores of one label lie together.
  void to_probabilities(float* scores, size_t n_lanes) {
    const size_t n = model_.n_labels_ * n_lanes;
    if (model_.loss_ == LabelLoss::kSigmoid) {
      const SigmoidTable& sigmoid = sigmoid_table();
      for (size_t i = 0; i < n; ++i) scores[i] = sigmoid(scores[i]);
    } else if (n_lanes == kLanes) {
      softmax<kLanes>(scores, n);
    } else {
      softmax<1>(scores, n);
    }
  }

  template <size_t kCount>
  static void softmax(float* scores, size_t n) {
    std::array<float, kCount> top, sum{}, scale;
    top.fill(-std::numeric_limits<float>::infinity());
    for (size_t at = 0; at < n; at += kCount) {
      for (size_t i = 0; i < kCount; ++i) top[i] = std::max(top[i], scores[at + i]);
    }
    for (size_t at = 0; at < n; at += kCount) {
      for (size_t i = 0; i < kCount; ++i) {
        scores[at + i] = exponential(scores[at + i] - top[i]);
        sum[i] += scores[at + i];
      }
    }
    for (size_t i = 0; i < kCount; ++i) scale[i] = 1.0F / sum[i];
    for (size_t at = 0; at < n; at += kCount) {
      for (size_t i = 0; i < kCount; ++i) scores[at + i] *= scale[i];
    }
  }

  void descend(size_t lane) {
    if (model_.n_labels_ == 0) return;
    const auto score = [&](size_t inner) {
      float result = 0;
      model_.kernels_->dot_rows(hidden(lane), &model_.output_rows_[inner], 1, model_.stride_,
                                &result);
      return result;
    };
    find_best_labels(model_.tree_, options_.epsilon, score, stack_, best_[lane]);
  }

  const Predictor& model_;
  PredictionOptions options_;
  WordSums* word_sums_ = nullptr;
  TextFeatures features_;
  TextFeatures word_features_;
  std::vector<float> new_sums_;
  std::vector<BestLabels> best_;
  FloatBuffer hidden_, transposed_, scores_;
  std::vector<Prediction> stack_;
};

Predictor::Predictor(const FeatureRules& rules, const InputRows& input, const RowView& output,
                     LabelLoss loss, std::span<const int64_t> label_counts)
    : rules_(rules),
      bucket_index_(rules.ngrams),
      input_(input),
      n_labels_(output.n_rows),
      stride_(round_up(output.dim, kRowAlign)),
      loss_(loss),
      output_(output.n_rows * stride_),
      kernels_(find_kernels("auto")) {
  const size_t n_buckets = rules.ngrams.bucket_ids.size();
  const bool rows_in_range =
      std::all_of(rules.bucket_rows.begin(), rules.bucket_rows.end(),
                  [&](int32_t row) { return row >= 0 && static_cast<size_t>(row) < n_buckets; });
  if (input.n_rows() != rules.n_words + n_buckets || input.dim() != output.dim ||
      label_counts.size() != n_labels_ || !rows_in_range ||
      (!rules.bucket_rows.empty() && rules.bucket_rows.size() != n_buckets)) {
    throw std::invalid_argument("shapes do not agree");
  }
  for (size_t r = 0; r < n_labels_; ++r) {
    std::copy_n(output.row(r), output.dim, output_.data() + r * stride_);
    output_rows_.push_back(output_.data() + r * stride_);
  }
  if (loss == LabelLoss::kTree) tree_ = build_label_tree(label_counts);
  rules_.bucket_index = &bucket_index_;
}

Predictor::~Predictor() = default;

std::unique_ptr<Predictor::Worker> Predictor::take_worker(const PredictionOptions& options,
                                                          WordSums* sums) const {
  std::unique_ptr<Worker> worker;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      worker = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!worker) worker = std::make_unique<Worker>(*this);
  worker->begin(options, sums);
  return worker;
}

void Predictor::give_back(std::unique_ptr<Worker> worker) const {
  const std::lock_guard lock(mutex_);
  if (worker->is_worth_keeping() && idle_.size() < n_cores()) idle_.push_back(std::move(worker));
}

std::vector<Prediction> Predictor::predict_one(std::string_view text,
                                               const PredictionOptions& options) const {
  auto worker = take_worker(options);
  std::vector<Prediction> found = worker->predict_one(text);
  give_back(std::move(worker));
  return found;
}

Predictions Predictor::predict(std::span<const std::string_view> texts,
                               const PredictionOptions& options) const {
  std::vector<Predictions> parts((texts.size() + kTextsPerTask - 1) / kTextsPerTask);
  WordSums* const sums = word_sums(texts.size());
  std::atomic<size_t> next{0};
  parallel_for(parts.size(), 1, [&](size_t, size_t) {
    if (next.load() >= parts.size()) return;
    auto worker = take_worker(options, sums);
    for (size_t part; (part = next.fetch_add(1)) < parts.size();) {
      const size_t first = part * kTextsPerTask;
      const size_t last = std::min(texts.size(), first + kTextsPerTask);
      for (size_t at = first; at < last; at += kLanes) {
        worker->predict(texts.subspan(at, std::min(kLanes, last - at)), parts[part]);
      }
    }
    give_back(std::move(worker));
  });
  Predictions all;
  all.offsets.reserve(texts.size() + 1);
  all.offsets.push_back(0);
  for (const Predictions& part : parts) {
    const auto base = static_cast<int64_t>(all.items.size());
    for (const int64_t offset : part.offsets) all.offsets.push_back(base + offset);
    all.items.insert(all.items.end(), part.items.begin(), part.items.end());
  }
  return all;
}

WordSums* Predictor::word_sums(size_t n_texts) const {
  const bool has_ngrams = rules_.ngrams.max_char > 0 && rules_.ngrams.buckets > 0;
  if (n_texts < kMinTextsWithSums || !has_ngrams) return nullptr;
  const std::lock_guard lock(mutex_);
  if (!word_sums_) word_sums_ = std::make_unique<WordSums>(rules_.n_words, input_.dim());
  return word_sums_.get();
}

Features Predictor::features(std::span<const std::string_view> texts) const {
  std::vector<Features> parts((texts.size() + kTextsPerTask - 1) / kTextsPerTask);
  parallel_for(parts.size(), 1, [&](size_t begin, size_t end) {
    TextFeatures features(rules_, kRecentWords);
    for (size_t part = begin; part < end; ++part) {
      const size_t first = part * kTextsPerTask;
      for (const std::string_view text :
           texts.subspan(first, std::min(kTextsPerTask, texts.size() - first))) {
        features.read_line(text);
        for (const size_t row : features.rows()) {
          parts[part].rows.push_back(static_cast<int32_t>(row));
        }
        parts[part].offsets.push_back(static_cast<int64_t>(parts[part].rows.size()));
        parts[part].counts.push_back(static_cast<int32_t>(features.count()));
      }
    }
  });
  Features all;
  all.offsets.push_back(0);
  for (const Features& part : parts) {
    const auto base = static_cast<int64_t>(all.rows.size());
    for (const int64_t offset : part.offsets) all.offsets.push_back(base + offset);
    all.rows.insert(all.rows.end(), part.rows.begin(), part.rows.end());
    all.counts.insert(all.counts.end(), part.counts.begin(), part.counts.end());
  }
  return all;
}

void Predictor::vectors(std::span<const std::string_view> texts, bool as_words,
                        std::span<float> out) const {
  parallel_for(texts.size(), kTextsPerTask, [&](size_t begin, size_t end) {
    auto worker = take_worker({});
    for (size_t i = begin; i < end; ++i) {
      worker->write_vector(texts[i], as_words, out.data() + i * input_.dim());
    }
    give_back(std::move(worker));
  });
}

}  // namespace brasa
