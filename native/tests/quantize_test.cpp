#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "lookup/input_rows.h"
#include "lookup/word_composer.h"
#include "quantize/product_quantizer.h"

namespace brasa {
namespace {

std::vector<float> normal(size_t n) {
  std::mt19937 random(1);
  std::normal_distribution<float> draw;
  std::vector<float> values(n);
  std::generate(values.begin(), values.end(), [&] { return draw(random); });
  return values;
}

float squared_distance(const float* a, const float* b, size_t n) {
  float sum = 0;
  for (size_t d = 0; d < n; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
  return sum;
}

}  // namespace

TEST_CASE("each part of a row gets the nearest centroid") {
  constexpr size_t kDim = 7, kStride = 16, kRows = 300;
  const std::vector<float> values = normal(kRows * kStride);
  const RowView rows{values.data(), kRows, kDim, kStride};
  for (const size_t part_dim : {1, 2, 3, 7}) {
    const std::vector<float> centroids = train_centroids(rows, part_dim, 1234);
    REQUIRE(centroids.size() == kCentroids * kDim);
    const CodeBook book{centroids, kDim, part_dim};
    std::vector<uint8_t> codes(kRows * book.n_parts());
    encode_rows(rows, book, codes);
    for (size_t i = 0; i < codes.size(); ++i) {
      const size_t begin = i % book.n_parts() * part_dim;
      const size_t width = std::min(part_dim, kDim - begin);
      const float* point = rows.row(i / book.n_parts()) + begin;
      const float* part = &centroids[kCentroids * begin];
      float least = squared_distance(point, part, width);
      for (size_t k = 1; k < kCentroids; ++k) {
        least = std::min(least, squared_distance(point, part + k * width, width));
      }
      // But for rounding: the test may be compiled with fused operations.
      REQUIRE(squared_distance(point, part + codes[i] * width, width) <= least * 1.00001F);
    }
  }
}

TEST_CASE("as many rows as centroids, and rows that are all the same") {
  const std::vector<float> values = normal(kCentroids * 4);
  for (const size_t stride : {size_t{4}, size_t{0}}) {
    const RowView rows{values.data(), kCentroids, 4, stride};
    const std::vector<float> centroids = train_centroids(rows, 2, 1234);
    const CodeBook book{centroids, 4, 2};
    std::vector<uint8_t> codes(kCentroids * 2);
    encode_rows(rows, book, codes);
    for (size_t i = 0; i < kCentroids; ++i) {
      std::vector<float> decoded(4);
      book.add(&codes[i * 2], 1.0F, decoded.data());
      CHECK(squared_distance(decoded.data(), rows.row(i), 4) < 1e-8F);
    }
  }
}

TEST_CASE("vectors of words from codes are means of decoded rows") {
  constexpr size_t kDim = 5, kWords = 2, kBuckets = 10;
  const std::vector<float> centroids = normal(kCentroids * kDim);
  const CodeBook book{centroids, kDim, 2};
  std::vector<uint8_t> codes((kWords + 3) * book.n_parts());
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<uint8_t>(i * 37);
  const InputRows rows(codes, book, {}, {});
  std::vector<float> plain((kWords + 3) * kDim);
  for (size_t i = 0; i < kWords + 3; ++i) {
    rows.add(std::vector<size_t>{i}, std::span(plain).subspan(i * kDim, kDim));
  }

  const std::string text = "emberfirexyz";
  const std::vector<uint8_t> arena(text.begin(), text.end());
  const std::vector<int64_t> offsets = {0, 5, 9, 12};
  const std::vector<int32_t> indices = {0, 7, -1};  // 7 is no word: its row must not be read
  const std::vector<uint32_t> bucket_ids = {1, 4, 8};
  const NgramRows ngrams{3, 4, kBuckets, bucket_ids};
  std::vector<float> found(3 * kDim), wanted(3 * kDim);
  const WordSpans words{arena, offsets};
  compose_vectors(words, indices, rows, kWords, ngrams, found);
  compose_vectors(words, indices, InputRows({plain.data(), kWords + 3, kDim, kDim}), kWords, ngrams,
                  wanted);
  for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(wanted[i]));
}

}  // namespace brasa
