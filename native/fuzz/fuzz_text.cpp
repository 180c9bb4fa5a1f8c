// What reads texts: the encoder, examples of classifiers, prediction with made-up models.
#include <optional>
#include <stdexcept>

#include "fuzz/targets.h"
#include "predict/predictor.h"
#include "predict/true_labels.h"
#include "text/corpus_encoder.h"
#include "text/example_rows.h"
#include "text/examples.h"

namespace brasa::fuzz {
namespace {

// A token's meaning in turn: a word, a dropped word, a label, a dropped label.
std::vector<int32_t> meanings(size_t n_tokens, Input& input, int32_t& n_words) {
  std::vector<int32_t> meaning(n_tokens);
  int32_t n_labels = 0;
  n_words = 0;
  for (int32_t& token : meaning) {
    const uint8_t choice = input.number<uint8_t>() % 4;
    token = choice < 2    ? n_words++
            : choice == 2 ? kDroppedWord
                          : (n_labels < 3 ? label_meaning(n_labels++) : kDroppedLabel);
  }
  return meaning;
}

void make_examples(const MergedVocabulary& found, const std::vector<int32_t>& ids, Input& input) {
  int32_t n_words = 0;
  const std::vector<int32_t> meaning = meanings(found.counts.size(), input, n_words);
  ExampleOptions options;
  options.word_ngrams = 1 + static_cast<int>(input.number_below(6));
  options.max_char = static_cast<int>(input.number_below(7));
  options.min_char = options.max_char == 0 ? 0 : 1 + static_cast<int>(input.number_below(3));
  if (options.min_char > options.max_char) options.min_char = options.max_char;
  options.buckets = 1 + static_cast<uint32_t>(input.number_below(900));
  options.line_end = static_cast<int32_t>(input.number_below(8)) - 1;
  options.threads = 1;
  const Examples examples =
      build_examples(ids, {found.arena, found.offsets}, meaning, n_words, options);
  require(examples.item_offsets.size() == examples.label_offsets.size());
  require(examples.label_offsets.back() == static_cast<int64_t>(examples.labels.size()));
  const ExampleRows rows(tables_of(examples, static_cast<size_t>(n_words)));
  const auto n_rows =
      static_cast<int64_t>(n_words) + static_cast<int64_t>(examples.bucket_ids.size());
  LineRows of_line;
  for (size_t i = 0; i < rows.n_lines(); ++i) {
    rows.list(static_cast<int32_t>(i), of_line);
    require(of_line.size() > 0);
    for (const int32_t row : of_line) require(row >= 0 && row < n_rows);
  }
}

}  // namespace

void encode_text(Input& input) {
  EncoderOptions options;
  options.threads = 1 + static_cast<int>(input.number_below(2));
  options.refuse_invalid_utf8 = input.number<uint8_t>() % 2 == 1;
  const auto min_count = static_cast<int64_t>(input.number<uint8_t>() % 4);
  const std::optional<int64_t> max_vocab = input.number<uint8_t>() % 2 == 1
                                               ? std::optional<int64_t>(input.number<uint8_t>())
                                               : std::nullopt;
  const std::vector<uint8_t> chosen = input.numbers<uint8_t>(24);
  Input choices(chosen);
  const CheckedWords first(input, 3);
  const size_t piece = 1 + input.number_below(200);
  const std::vector<char> text = input.rest();
  CorpusEncoder encoder(options, [] {});
  try {
    encoder.begin_source("fuzz");
    for (size_t at = 0; at < text.size(); at += piece) {
      encoder.feed(as_text(text).substr(at, piece));
    }
    encoder.finish(min_count, max_vocab, first.view());
  } catch (const TextError& error) {
    require(error.line() >= 1 && error.source() == "fuzz");
    return;
  }
  const MergedVocabulary& found = encoder.vocabulary();
  std::vector<int32_t> ids(static_cast<size_t>(found.n_kept_tokens));
  encoder.write_ids(ids);
  for (const int32_t id : ids) {
    require(id >= 0 && static_cast<size_t>(id) < found.counts.size());
  }
  make_examples(found, ids, choices);
}

void find_true_labels(Input& input) {
  const CheckedWords labels(input, 6);
  const std::vector<char> prefix = input.bytes(input.number<uint8_t>() % 6);
  const WordIndex index(labels.view());
  const std::vector<char> text = input.rest();
  const std::vector<std::string_view> lines = split_lines(as_text(text));
  const TrueLabels found = find_labels(lines, index, labels.view(), as_text(prefix));
  require(found.offsets.size() == lines.size() + 1);
  for (const int32_t label : found.labels) {
    require(label >= 0 && static_cast<size_t>(label) < labels.size());
  }
}

void predict_labels(Input& input) {
  const CheckedWords words(input, 12), labels(input, 8);
  const std::vector<char> prefix = input.bytes(input.number<uint8_t>() % 4);
  const std::vector<uint32_t> ids = input.numbers<uint32_t>(input.number_below(20));
  const std::vector<int32_t> bucket_rows = input.number<uint8_t>() % 2 == 1
                                               ? input.numbers<int32_t>(ids.size())
                                               : std::vector<int32_t>();
  const WordIndex word_index(words.view()), label_index(labels.view());
  FeatureRules rules;
  rules.words = &word_index;
  rules.labels = &label_index;
  rules.label_prefix = as_text(prefix);
  rules.n_words = words.size();
  rules.ngrams = {input.number<int8_t>(), input.number<int8_t>(), input.number<uint32_t>(), ids};
  rules.bucket_rows = bucket_rows;
  rules.word_ngrams = input.number<int8_t>();
  rules.drops_other_buckets = input.number<uint8_t>() % 2 == 1;
  const auto loss = static_cast<LabelLoss>(input.number_below(3));
  const size_t dim = 1 + input.number_below(9);
  const size_t n_rows = words.size() + ids.size();
  const size_t part_dim = 1 + input.number_below(4);
  const bool quantized = input.number<uint8_t>() % 2 == 1;
  const PredictionOptions options{input.number_below(6), input.number<float>(),
                                  input.number<uint8_t>() % 2 == 1 ? 1e-5 : 0};
  const std::vector<int64_t> counts = input.numbers<int64_t>(labels.size());
  const std::vector<float> output = input.numbers<float>(labels.size() * dim);
  const std::vector<float> rows = input.numbers<float>(n_rows * dim);
  std::vector<float> centroids(kCentroids * dim);
  for (size_t i = 0; i < centroids.size(); ++i) centroids[i] = static_cast<float>(i % 97) - 48;
  const CodeBook book{centroids, dim, part_dim};
  const std::vector<uint8_t> codes = input.numbers<uint8_t>(n_rows * book.n_parts());
  const bool many = input.number<uint8_t>() % 8 == 1;
  const std::vector<char> text = input.rest();
  std::vector<std::string_view> lines = split_lines(as_text(text));
  const size_t n_lines = lines.size();
  if (many && n_lines > 0 && text.size() < 100) {
    // So many that sums of words are kept.
    for (size_t i = 0; lines.size() < 1000; ++i) lines.push_back(lines[i % n_lines]);
  }
  try {
    const InputRows matrix =
        quantized ? InputRows(codes, book, {}, {}) : InputRows({rows.data(), n_rows, dim, dim});
    const Predictor predictor(rules, matrix, {output.data(), labels.size(), dim, dim}, loss,
                              counts);
    const Predictions found = predictor.predict(lines, options);
    require(found.offsets.size() == lines.size() + 1);
    for (size_t i = 0; i < lines.size(); ++i) {
      require(found.offsets[i + 1] - found.offsets[i] <= static_cast<int64_t>(options.k));
    }
    for (const Prediction& item : found.items) {
      require(item.label >= 0 && static_cast<size_t>(item.label) < labels.size());
    }
    for (size_t i = 0; i < n_lines; ++i) predictor.predict_one(lines[i], options);
    std::vector<float> vectors(lines.size() * dim);
    predictor.vectors(lines, input.number<uint8_t>() % 2 == 1, vectors);
  } catch (const std::invalid_argument&) {
  }
}

}  // namespace brasa::fuzz
