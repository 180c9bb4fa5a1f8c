#include "formats/floret.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/floret_table.h"
#include "formats/vectors_parse.h"

namespace brasa {
namespace {

TEST_CASE("MurmurHash3 has the published values") {
  CHECK(murmur_hash("", 0) == Hash128{0, 0});
  CHECK(murmur_hash("The quick brown fox jumps over the lazy dog", 0) ==
        Hash128{0xe34bbc7bbc071b6cULL, 0x7a433ca9c49a9347ULL});
  const Hash128 hash{0x1111111122222222ULL, 0x3333333344444444ULL};
  CHECK(hash.part(0) == 0x22222222);
  CHECK(hash.part(3) == 0x33333333);
}

TEST_CASE("a fitted table gives the vectors, also where words contain each other") {
  const std::string text = "a<a></s>ember";
  const std::vector<std::int64_t> offsets{0, 1, 4, 8, 13};
  const WordSpans words{{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, offsets};
  const std::vector<float> vectors{1, -2, 3, 4, 0.5, 7, -1, 0};
  const std::vector<float> rows(2 * (4 + 2), 0.25F);
  const std::vector<std::uint32_t> bucket_ids{3, 17};
  const NgramRows ngrams{1, 4, 50, bucket_ids};
  for (int hash_count = 3; hash_count <= 4; ++hash_count) {
    FloretHashing hashing{1, 4, hash_count, 2166136261U, 1, "<", ">"};
    const FloretItems items(words, {vectors.data(), 4, 2, 2}, {rows.data(), 6, 2, 2}, ngrams,
                            hashing);
    hashing.buckets = static_cast<std::uint32_t>(3 * items.size());
    const auto table = items.solve(hashing);
    REQUIRE(table);
    std::vector<float> found(8);
    const std::vector<std::int32_t> indices(4, -1);
    compose_floret(words, indices, {table->data(), hashing.buckets, 2, 2}, 0, hashing, found);
    for (std::size_t i = 0; i < 8; ++i) CHECK(std::abs(found[i] - vectors[i]) < 1e-5F);
    hashing.buckets = 1;  // every item would need the same row
    CHECK_FALSE(items.solve(hashing));
  }
}

TEST_CASE("the rows of words are those of which their vectors are the mean") {
  std::string text;
  std::vector<std::int64_t> offsets{0};
  const auto add = [&](const std::string& word) {
    text += word;
    offsets.push_back(static_cast<std::int64_t>(text.size()));
  };
  add("first");
  add("</s>");
  add("");
  for (int i = 0; i < 1000; ++i) add("word" + std::to_string(i));
  offsets.push_back(3);  // as in a broken file: no word lies there
  const WordSpans words{{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, offsets};
  const FloretHashing hashing{1, 3, 2, 7, 50, "<", ">"};
  const FloretRows found = floret_rows(words, hashing);
  REQUIRE(found.offsets.size() == words.size() + 1);
  CHECK(found.offsets[2] - found.offsets[1] == 1);
  CHECK(found.rows[static_cast<std::size_t>(found.offsets[1])] == 1);

  std::vector<float> matrix(words.size() + hashing.buckets);
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = static_cast<float>(i % 101);
  std::vector<std::int32_t> indices(words.size());
  std::iota(indices.begin(), indices.end(), 0);
  std::vector<float> vectors(words.size());
  compose_floret(words, indices, {matrix.data(), matrix.size(), 1, 1}, words.size(), hashing,
                 vectors);
  CHECK(vectors[1] == 0.0F);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i == 1) continue;
    const auto begin = static_cast<std::size_t>(found.offsets[i]);
    const auto end = static_cast<std::size_t>(found.offsets[i + 1]);
    float sum = 0;
    for (std::size_t r = begin; r < end; ++r) {
      sum += matrix[static_cast<std::size_t>(found.rows[r])];
    }
    CHECK(std::abs(sum / static_cast<float>(end - begin) - vectors[i]) < 1e-3F);
  }
}

TEST_CASE("a table too large for the numbers of rows is refused") {
  const std::vector<std::uint8_t> text{'a'};
  const std::vector<std::int64_t> offsets{0, 1};
  FloretHashing hashing{1, 3, 1, 7, 2147483647U, "<", ">"};
  CHECK_THROWS_AS(floret_rows({text, offsets}, hashing), std::length_error);
}

TEST_CASE("pieces of text and of records are read up to the last whole one") {
  const VectorLines lines = parse_vector_lines("a 1 2\nb 3 4\nc 5", 2);
  CHECK(lines.n_rows == 2);
  CHECK(lines.consumed == 12);
  CHECK(lines.words == "ab");
  CHECK(lines.rows[3] == 4.0F);
  CHECK(parse_vector_lines("no line end", 2).consumed == 0);
  CHECK(parse_vector_lines("a 1\n\n\nb x\n", 1).n_lines == 3);
  const VectorLines broken = parse_vector_lines("a 1\nb x\nc 2\n", 1);
  CHECK_FALSE(broken.problem.empty());
  CHECK(broken.n_rows == broken.ends.size());
  const std::string record("w \0\0\0\0\nv \0\0", 11);
  const VectorRecords records = parse_vector_records(record, 1, 5);
  CHECK(records.ends == std::vector<std::int64_t>{1});
  CHECK(records.consumed == 6);
  const VectorRecords nan = parse_vector_records("w \xff\xff\xff\xff", 1, 5);
  CHECK_FALSE(nan.problem.empty());
  CHECK(nan.rows.empty());
}

}  // namespace
}  // namespace brasa
