// What reads the bytes of files: dictionaries, lines and records of vectors, words of models.
#include "formats/fasttext_dictionary.h"
#include "formats/finalfusion.h"
#include "formats/floret.h"
#include "formats/vectors_parse.h"
#include "formats/vectors_text.h"
#include "fuzz/targets.h"
#include "lookup/bucket_index.h"
#include "lookup/word_composer.h"

namespace brasa::fuzz {

void read_dictionary(Input& input) {
  const auto n_entries = static_cast<size_t>(input.number<uint32_t>());
  const auto kind = static_cast<uint8_t>(input.number<uint8_t>() % 2);
  const std::vector<char> text = input.rest();
  const std::span bytes{reinterpret_cast<const uint8_t*>(text.data()), text.size()};
  try {
    const DictionaryPart part = parse_dictionary(bytes, n_entries, kind, 3);
    require(part.counts.size() == n_entries && part.n_bytes <= bytes.size());
    const std::string again =
        format_dictionary(part.arena, part.offsets, part.counts, kind, 0, n_entries);
    require(again == as_text(text).substr(0, part.n_bytes));
  } catch (const DictionaryError& error) {
    require(error.offset() <= bytes.size());
  }
}

void read_vector_lines(Input& input) {
  const size_t dim = 1 + input.number_below(12);
  const std::vector<char> text = input.rest();
  const VectorLines lines = parse_vector_lines(as_text(text), dim);
  require(lines.consumed <= text.size() && lines.ends.size() == lines.n_rows);
  require(lines.n_rows <= lines.n_lines);
  std::vector<int64_t> offsets{0};
  offsets.insert(offsets.end(), lines.ends.begin(), lines.ends.end());
  require(offsets.back() == static_cast<int64_t>(lines.words.size()));
  std::string again;
  const std::span words{reinterpret_cast<const uint8_t*>(lines.words.data()), lines.words.size()};
  append_vector_lines({words, offsets}, 0, {lines.rows.get(), lines.n_rows, dim, dim}, again);
  require(parse_vector_lines(again, dim).n_rows == lines.n_rows);
}

void read_vector_records(Input& input) {
  const size_t dim = 1 + input.number_below(12);
  const size_t max_words = input.number_below(500);
  const std::vector<char> data = input.rest();
  const VectorRecords records = parse_vector_records(as_text(data), dim, max_words);
  require(records.consumed <= data.size() && records.ends.size() <= max_words);
  require(records.rows.size() == records.ends.size() * dim);
}

void compose(Input& input) {
  const size_t dim = 1 + input.number_below(9);
  const size_t stride = dim + input.number_below(9);
  const size_t n_rows = input.number_below(40);
  const size_t n_words = input.number_below(n_rows + 1);
  const int min_char = input.number<int8_t>(), max_char = input.number<int8_t>();
  const auto buckets = input.number<uint32_t>();
  const std::vector<uint32_t> ids = input.numbers<uint32_t>(input.number_below(40));
  const LyingWords words(input);
  const std::vector<int32_t> indices = input.numbers<int32_t>(words.spans().size());
  const std::vector<float> rows = input.numbers<float>(n_rows * stride);
  const InputRows matrix(RowView{rows.data(), n_rows, dim, stride});
  const NgramRows ngrams{min_char, max_char, buckets, ids};
  std::vector<float> out(words.spans().size() * dim);
  compose_vectors(words.spans(), indices, matrix, n_words, ngrams, out);
  const BucketIndex index(ngrams);
  WordComposer composer(matrix, n_words, ngrams, &index);
  std::vector<float> one(dim);
  for (size_t i = 0; i < words.spans().size(); ++i) {
    composer.compose(words.spans().word(i), indices[i], one);
    require(std::memcmp(one.data(), out.data() + i * dim, dim * sizeof(float)) == 0);
  }
}

void compose_with_floret(Input& input) {
  const size_t dim = 1 + input.number_below(5);
  const size_t n_words = input.number_below(8);
  FloretHashing hashing;
  hashing.min_char = input.number<int8_t>();
  hashing.max_char = input.number<int8_t>();
  hashing.hash_count = 1 + static_cast<int>(input.number_below(4));
  hashing.seed = input.number<uint32_t>();
  hashing.buckets = 1 + static_cast<uint32_t>(input.number_below(50));
  hashing.begin = as_text(input.bytes(input.number<uint8_t>() % 4));
  hashing.end = as_text(input.bytes(input.number<uint8_t>() % 4));
  const LyingWords words(input);
  const size_t n_rows = n_words + hashing.buckets;
  const std::vector<float> rows = input.numbers<float>(n_rows * dim);
  std::vector<int32_t> indices(words.spans().size(), 0);
  std::vector<float> out(words.spans().size() * dim);
  compose_floret(words.spans(), indices, {rows.data(), n_rows, dim, dim}, n_words, hashing, out);
  const FloretRows found = floret_rows(words.spans(), hashing);
  require(found.offsets.size() == words.spans().size() + 1);
  const auto n_all = static_cast<int64_t>(words.spans().size() + hashing.buckets);
  for (int64_t i = 0; i < found.offsets.back(); ++i) {
    require(found.rows[static_cast<size_t>(i)] >= 0 && found.rows[static_cast<size_t>(i)] < n_all);
  }
}

void find_finalfusion_ngrams(Input& input) {
  const int min_char = input.number<int8_t>(), max_char = input.number<int8_t>();
  const auto exponent = static_cast<int>(1 + input.number_below(40));
  const LyingWords words(input);
  for (const NgramRow& ngram : finalfusion_ngrams(words.spans(), min_char, max_char, exponent)) {
    require(ngram.row >= 0 && ngram.row < int64_t{1} << exponent);
  }
}

}  // namespace brasa::fuzz
