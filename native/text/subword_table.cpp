#include "text/subword_table.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include "text/subwords.h"

namespace brasa {

namespace {

// Which buckets are used, and the how-manieth each of them is: 1 bit a bucket and 4 bytes for 512,
// so that 2 million buckets take 266 KB and stay in the cache.
class BucketSet {
 public:
  explicit BucketSet(std::uint32_t buckets)
      : bits_(buckets / kBlockBits * kWordsPerBlock + kWordsPerBlock) {}

  // Thread-safe.
  void add(std::uint32_t bucket) {
    std::atomic_ref<std::uint64_t> word(bits_[bucket / 64]);
    const std::uint64_t bit = 1ULL << (bucket % 64);
    if ((word.load(std::memory_order_relaxed) & bit) == 0) {
      word.fetch_or(bit, std::memory_order_relaxed);
    }
  }

  // Must be called after the last `add`.
  std::vector<std::uint32_t> to_sorted_ids() {
    std::vector<std::uint32_t> ids;
    ranks_.resize(bits_.size() / kWordsPerBlock);
    for (std::size_t i = 0; i < bits_.size(); ++i) {
      if (i % kWordsPerBlock == 0) {
        ranks_[i / kWordsPerBlock] = static_cast<std::uint32_t>(ids.size());
      }
      for (std::uint64_t word = bits_[i]; word != 0; word &= word - 1) {
        ids.push_back(static_cast<std::uint32_t>(i * 64) +
                      static_cast<std::uint32_t>(std::countr_zero(word)));
      }
    }
    return ids;
  }

  std::uint32_t index(std::uint32_t bucket) const {
    const std::size_t word = bucket / 64;
    std::uint32_t rank = ranks_[word / kWordsPerBlock];
    for (std::size_t i = word / kWordsPerBlock * kWordsPerBlock; i < word; ++i) {
      rank += static_cast<std::uint32_t>(std::popcount(bits_[i]));
    }
    const std::uint64_t below = bits_[word] & ((1ULL << (bucket % 64)) - 1);
    return rank + static_cast<std::uint32_t>(std::popcount(below));
  }

 private:
  static constexpr std::size_t kBlockBits = 512;
  static constexpr std::size_t kWordsPerBlock = kBlockBits / 64;

  std::vector<std::uint64_t> bits_;
  std::vector<std::uint32_t> ranks_;
};

// Calls work(begin, end) for pieces of [0, n) on several threads.
void parallel_for(std::size_t n, int threads,
                  const std::function<void(std::size_t, std::size_t)>& work) {
  constexpr std::size_t kPiece = 1024;
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t begin = next.fetch_add(kPiece); begin < n; begin = next.fetch_add(kPiece)) {
      work(begin, std::min(begin + kPiece, n));
    }
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < threads && static_cast<std::size_t>(i) * kPiece < n; ++i) {
    others.emplace_back(run);
  }
  run();
}

}  // namespace

std::size_t count_ngrams(std::string_view word, int min_char, int max_char) {
  if (word == kLineEnd) return 0;
  std::size_t n_chars = 2;  // with "<" and ">"; a word's leading 10xxxxxx belong to the "<"
  for (const char byte : word) n_chars += continues_character(byte) ? 0 : 1;
  std::size_t n_ngrams = 0;
  for (int n = min_char; n <= max_char && static_cast<std::size_t>(n) <= n_chars; ++n) {
    n_ngrams += n_chars - static_cast<std::size_t>(n) + 1 - (n == 1 ? 2 : 0);
    if (n_ngrams >= kMaxNgramsPerWord) return kMaxNgramsPerWord;
  }
  return n_ngrams;
}

SubwordTable build_subword_table(const WordsView& words, int min_char, int max_char,
                                 std::uint32_t buckets, int threads) {
  const std::size_t n_words = words.size();
  SubwordTable table;
  table.offsets.resize(n_words + 1);
  parallel_for(n_words, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      table.offsets[i + 1] =
          1 + static_cast<std::int64_t>(count_ngrams(words[i], min_char, max_char));
    }
  });
  for (std::size_t i = 0; i < n_words; ++i) table.offsets[i + 1] += table.offsets[i];

  table.rows = std::make_unique_for_overwrite<std::int32_t[]>(
      static_cast<std::size_t>(table.offsets.back()));
  BucketSet used(buckets);
  parallel_for(n_words, threads, [&](std::size_t begin, std::size_t end) {
    std::string scratch;
    std::int32_t* row = table.rows.get() + table.offsets[begin];
    for (std::size_t i = begin; i < end; ++i) {
      *row++ = static_cast<std::int32_t>(i);
      for_each_ngram(words[i], min_char, max_char, scratch,
                     [&](std::string_view, std::uint32_t hash) {
                       const std::uint32_t bucket = hash % buckets;
                       used.add(bucket);
                       *row++ = static_cast<std::int32_t>(bucket);
                     });
    }
  });

  table.bucket_ids = used.to_sorted_ids();
  if (n_words + table.bucket_ids.size() > std::numeric_limits<std::int32_t>::max()) {
    throw std::length_error("more than 2 billion words and n-gram buckets");
  }
  parallel_for(n_words, threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      for (std::int64_t r = table.offsets[i] + 1; r < table.offsets[i + 1]; ++r) {
        const std::uint32_t index = used.index(static_cast<std::uint32_t>(table.rows[r]));
        table.rows[r] = static_cast<std::int32_t>(n_words + index);
      }
    }
  });
  return table;
}

}  // namespace brasa
