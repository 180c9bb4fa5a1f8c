#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "formats/vectors_text.h"
#include "lookup/bucket_index.h"
#include "lookup/rows.h"
#include "lookup/word_composer.h"

namespace brasa {
namespace {

std::string written(float value) {
  std::string text(kMaxNumberLength, '\0');
  text.resize(static_cast<size_t>(write_number(value, text.data()) - text.data()));
  return text;
}

std::string printed(float value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.5g", static_cast<double>(value));
  return text;
}

TEST_CASE("numbers are written as printf writes them") {
  std::mt19937 random(1);
  for (int i = 0; i < 300'000; ++i) {
    const uint32_t bits = static_cast<uint32_t>(random());
    float any;
    std::memcpy(&any, &bits, sizeof any);
    if (std::isfinite(any)) CHECK_EQ(written(any), printed(any));
    const float small = std::uniform_real_distribution<float>(-1.1F, 1.1F)(random);
    CHECK_EQ(written(small), printed(small));
    const float half = static_cast<float>(static_cast<int>(random() % 400'000) - 200'000) / 65536;
    CHECK_EQ(written(half), printed(half));
  }
  for (const float edge :
       {0.0F, -0.0F, 1.0F, 1e-4F, 0.099999F, 0.99999F, 0.999995F, 0.9999951F,
        std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()}) {
    CHECK_EQ(written(edge), printed(edge));
  }
}

TEST_CASE("every bucket that is held is found, and no other") {
  std::mt19937 random(2);
  for (const uint32_t buckets : {1U, 2U, 100U, 5000U, 2'000'000U, 2'147'483'647U}) {
    for (const double share : {0.0, 0.1, 0.9, 1.0}) {
      std::vector<uint32_t> ids;
      const uint32_t step = std::max(1U, buckets / 5000);
      for (uint64_t id = 0; id < buckets; id += step) {
        if (std::uniform_real_distribution<double>(0, 1)(random) <= share) {
          ids.push_back(static_cast<uint32_t>(id));
        }
      }
      const NgramRows rows{3, 6, buckets, ids};
      const BucketIndex index(rows);
      for (const uint32_t id : {0U, 1U, buckets / 2, buckets - 1, buckets, ~0U}) {
        CHECK_EQ(index.find(id), rows.find(id));
      }
      for (size_t i = 0; i < ids.size(); ++i) {
        REQUIRE_EQ(rows.find(ids[i]), static_cast<int64_t>(i));
        REQUIRE_EQ(index.find(ids[i]), static_cast<int64_t>(i));
        if (step > 1) REQUIRE_EQ(rows.find(ids[i] + 1), -1);
        if (step > 1) REQUIRE_EQ(index.find(ids[i] + 1), -1);
      }
      CHECK_EQ(rows.find(std::numeric_limits<uint32_t>::max()), -1);
    }
  }
}

TEST_CASE("skewed and unsorted buckets are searched within their array") {
  std::vector<uint32_t> ids(5000);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<uint32_t>(i);
  const NgramRows skewed{3, 6, 2'000'000'000, ids};
  for (size_t i = 0; i < ids.size(); ++i) CHECK_EQ(skewed.find(ids[i]), static_cast<int64_t>(i));
  std::mt19937 random(3);
  for (uint32_t& id : ids) id = static_cast<uint32_t>(random());
  for (int i = 0; i < 10'000; ++i) {
    const NgramRows unsorted{3, 6, i % 2 == 0 ? 4'000'000'000U : 1U << 20, ids};
    CHECK_LT(unsorted.find(static_cast<uint32_t>(random())), 5000);
    if (i < 100) CHECK_LT(BucketIndex(unsorted).find(static_cast<uint32_t>(random())), 5000);
  }
}

TEST_CASE("offsets that lie give empty words") {
  const std::vector<uint8_t> arena = {'a', 'b', 'c'};
  const std::vector<int64_t> offsets = {0, 2, 1, -5, 3, std::numeric_limits<int64_t>::max(), 3};
  const WordSpans words{arena, offsets};
  CHECK_EQ(words.word(0).size(), 2);
  for (size_t i = 1; i < words.size(); ++i) CHECK(words.word(i).empty());
  const std::vector<float> data(64, 1.0F);
  const InputRows rows(RowView{data.data(), 8, 8, 8});
  const std::vector<uint32_t> ids = {0, 1, 2, 3, 4, 5, 6, 4'000'000'000};  // more than rows
  const std::vector<int32_t> indices = {0, 1, 2, 3, 900, -7};
  std::vector<float> out(6 * 8);
  compose_vectors(words, indices, rows, 4, NgramRows{1, 3, 7, ids}, out);
  std::string text;
  append_vector_lines(words, 0, RowView{data.data(), 6, 8, 8}, text);
  CHECK_EQ(text.substr(0, 19), "ab 1 1 1 1 1 1 1 1 ");
}

TEST_CASE("padded rows: the largest number, and a copy without the padding") {
  constexpr size_t kDim = 3, kStride = 5, kRows = 200'000;  // enough for several threads
  constexpr float kPadding = 1e9F;
  std::vector<float> numbers(kRows * kStride, kPadding);
  for (size_t i = 0; i < kRows * kDim; ++i) {
    numbers[i / kDim * kStride + i % kDim] = static_cast<float>(i % 100) - 49;
  }
  const RowView rows{numbers.data(), kRows, kDim, kStride};
  std::vector<float> packed(kRows * kDim);
  pack_rows(rows, packed.data());
  for (size_t i = 0; i < packed.size(); ++i) {
    REQUIRE_EQ(packed[i], static_cast<float>(i % 100) - 49);
  }
  CHECK_EQ(largest_of(rows), 50);
  numbers[7] = -60;
  CHECK_EQ(largest_of(rows), 60);
  numbers[kStride * (kRows - 1)] = -std::numeric_limits<float>::infinity();
  CHECK_EQ(largest_of(rows), std::numeric_limits<float>::infinity());
  numbers[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(largest_of(rows)));
  CHECK_EQ(largest_of({}), 0);
}

}  // namespace
}  // namespace brasa
