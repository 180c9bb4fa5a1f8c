#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "text/buckets.h"
#include "text/subword_table.h"
#include "text/subwords.h"

namespace {

using brasa::for_each_ngram;
using brasa::hash_word;

std::vector<std::string> ngrams(std::string_view word, int min_char, int max_char) {
  std::vector<std::string> result;
  std::string scratch;
  for_each_ngram(word, min_char, max_char, scratch,
                 [&](std::string_view ngram, std::uint32_t hash) {
                   CHECK(hash == hash_word(ngram));
                   result.emplace_back(ngram);
                 });
  CHECK(result.size() == brasa::count_ngrams(word, min_char, max_char));
  return result;
}

TEST_CASE("buckets are remainders") {
  std::mt19937_64 random(3);
  for (const std::uint32_t n : {1U, 2U, 3U, 7U, 64U, 2'000'000U, 2'000'003U, 0x80000001U, ~0U}) {
    const brasa::Buckets buckets(n);
    std::vector<std::uint64_t> hashes{0, 1, ~std::uint64_t{0}, std::uint64_t{1} << 63};
    for (const std::uint64_t times :
         {std::uint64_t{1}, std::uint64_t{12345}, ~std::uint64_t{0} / n}) {
      for (const std::uint64_t more : {~std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{1}}) {
        hashes.push_back(times * n + more);
      }
    }
    for (int i = 0; i < 1000; ++i) hashes.push_back(random() >> (i % 64));
    for (const std::uint64_t hash : hashes) CHECK(buckets.of(hash) == hash % n);
  }
}

TEST_CASE("hashes are those of fastText, whose bytes are signed") {
  CHECK(hash_word("команда") == 1725507386);
  CHECK(hash_word("маленьких") == 3011324125);
  CHECK(hash_word("друзей") == 737001801);
  CHECK(hash_word("mysterious") == 1903186891);
  CHECK(hash_word("北海道") == 4096045468);
  CHECK(hash_word("札幌") == 3909947444);
}

TEST_CASE("n-grams come in fastText's order") {
  CHECK(ngrams("ab", 1, 3) == std::vector<std::string>{"<a", "<ab", "a", "ab", "ab>", "b", "b>"});
  CHECK(ngrams("é", 2, 3) == std::vector<std::string>{"<é", "<é>", "é>"});
  CHECK(ngrams("a", 4, 6).empty());
  CHECK(ngrams("</s>", 1, 6).empty());
  CHECK(ngrams("/s", 4, 4) == std::vector<std::string>{"</s>"});
  CHECK(ngrams("", 1, 6) == std::vector<std::string>{"<>"});
  // Stray continuation bytes belong to the byte before them.
  CHECK(ngrams("\x80z", 1, 2) == std::vector<std::string>{"<\x80z", "z", "z>"});
}

TEST_CASE("the buckets of Daniël are those of finalfusion's tests") {
  std::set<std::uint32_t> buckets;
  std::string scratch;
  for_each_ngram("Daniël", 3, 6, scratch,
                 [&](std::string_view, std::uint32_t hash) { buckets.insert(hash % 2'000'000); });
  CHECK(buckets == std::set<std::uint32_t>{69886, 84537, 338340, 441697, 448390, 468430, 504093,
                                           573175, 749365, 804851, 811506, 991985, 1022467, 1105725,
                                           1249224, 1418443, 1493412, 1880616});
}

TEST_CASE("a monstrous word has a bounded number of n-grams") {
  const std::string word(1 << 20, 'a');
  CHECK(brasa::count_ngrams(word, 1, 64) == brasa::kMaxNgramsPerWord);
  std::size_t n = 0;
  std::string scratch;
  for_each_ngram(word, 1, 64, scratch, [&](std::string_view, std::uint32_t) { ++n; });
  CHECK(n == brasa::kMaxNgramsPerWord);
}

TEST_CASE("the table has each word's row, then its n-grams' buckets, whatever the threads") {
  const std::vector<std::string> words{"</s>", "banana", "é", "anan"};
  std::string arena;
  std::vector<std::int64_t> offsets{0};
  for (int copy = 0; copy < 2000; ++copy) {  // several pieces of work
    for (const std::string& word : words) {
      arena += word;
      offsets.push_back(static_cast<std::int64_t>(arena.size()));
    }
  }
  const brasa::WordsView view{arena, offsets};
  for (const std::uint32_t buckets : {1U, 7U, 512U, 2'000'000U, 2'147'483'647U}) {
    for (const int threads : {1, 3}) {
      CAPTURE(buckets);
      const brasa::SubwordTable table = brasa::build_subword_table(view, 3, 6, buckets, threads);
      REQUIRE(table.offsets.size() == offsets.size());
      std::set<std::uint32_t> touched;
      std::string scratch;
      bool equal = true;
      for (std::size_t i = 0; i < view.size(); ++i) {
        std::int64_t r = table.offsets[i];
        equal &= table.rows[r++] == static_cast<std::int32_t>(i);
        for_each_ngram(view[i], 3, 6, scratch, [&](std::string_view, std::uint32_t hash) {
          const auto index = static_cast<std::size_t>(table.rows[r++]) - view.size();
          equal &= table.bucket_ids.at(index) == hash % buckets;
          touched.insert(hash % buckets);
        });
        equal &= r == table.offsets[i + 1];
      }
      CHECK(equal);
      CHECK(table.bucket_ids == std::vector<std::uint32_t>(touched.begin(), touched.end()));
    }
  }
}

}  // namespace
