#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "train/block.h"
#include "train/setup.h"
#include "train/step.h"
#include "train/trainer.h"

namespace brasa {
namespace {

// The distribution that an alias table stands for, computed from all its slots.
std::vector<double> distribution(const AliasTable& table) {
  const size_t n = table.accept.size();
  std::vector<double> result(n);
  for (size_t i = 0; i < n; ++i) {
    const double accepted = table.accept[i] * 0x1p-32;
    result[i] += accepted / static_cast<double>(n);
    result.at(static_cast<size_t>(table.alias[i])) += (1 - accepted) / static_cast<double>(n);
  }
  return result;
}

TEST_CASE("an alias table gives back its distribution") {
  std::vector<double> zipf(1000);
  for (size_t i = 0; i < zipf.size(); ++i) zipf[i] = 1e6 / static_cast<double>(i + 1);
  const std::vector<std::vector<double>> cases{
      {5}, {1, 1}, {1, 3}, {0, 1}, {1, 0}, {7, 0, 0, 0}, {0, 0, 7, 0, 1}, {1e30, 1, 1e-30}, zipf};
  for (const auto& weights : cases) {
    CAPTURE(weights.size());
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    const auto found = distribution(build_alias_table(weights));
    REQUIRE(found.size() == weights.size());
    for (size_t i = 0; i < weights.size(); ++i) {
      // Each slot is rounded to 2^-32 of its share of 1 / n, and a word is in up to n slots.
      CHECK(std::abs(found[i] - weights[i] / total) <= 0x1p-32);
    }
  }
}

TEST_CASE("a word without weight is never drawn") {
  const AliasTable table = build_alias_table(std::vector<double>{0, 3, 0, 1});
  const NegativeTable negatives{table.accept, table.alias};
  Random random(1, 1);
  std::vector<int> drawn(4);
  for (int i = 0; i < 40'000; ++i) ++drawn[static_cast<size_t>(negatives.draw(random))];
  CHECK(drawn[0] == 0);
  CHECK(drawn[2] == 0);
  // 10,000 are expected of the last, with a standard deviation of 87.
  CHECK(std::abs(drawn[3] - 10'000) < 5 * 87);
}

struct Path {
  std::vector<int32_t> nodes;
  std::vector<uint8_t> branches;
  bool operator==(const Path&) const = default;
};

Path path(const HuffmanCode& code, size_t word) {
  const auto begin = code.offsets[word], end = code.offsets[word + 1];
  return {{code.nodes.begin() + begin, code.nodes.begin() + end},
          {code.branches.begin() + begin, code.branches.begin() + end}};
}

TEST_CASE("Huffman paths are numbered as in fastText, from the leaf to the root") {
  // Node 0 joins 1 and 2; node 1 joins node 0, which comes before a word of the same count, and 3;
  // node 2, the root, joins 5 and node 1. Of two, the second taken has branch 1.
  const HuffmanCode code = build_huffman_code(std::vector<int64_t>{5, 3, 2, 1});
  CHECK(path(code, 0) == Path{{2}, {0}});
  CHECK(path(code, 1) == Path{{1, 2}, {1, 1}});
  CHECK(path(code, 2) == Path{{0, 1, 2}, {1, 0, 1}});
  CHECK(path(code, 3) == Path{{0, 1, 2}, {0, 0, 1}});
}

TEST_CASE("a Huffman code of one word is empty, and of two one bit") {
  const HuffmanCode one = build_huffman_code(std::vector<int64_t>{9});
  CHECK(one.offsets == std::vector<int64_t>{0, 0});
  CHECK(one.nodes.empty());
  const HuffmanCode two = build_huffman_code(std::vector<int64_t>{9, 4});
  CHECK(path(two, 0) == Path{{0}, {1}});
  CHECK(path(two, 1) == Path{{0}, {0}});
}

TEST_CASE("a Huffman code is free of prefixes, complete, and as short as the counts allow") {
  std::vector<int64_t> equal(64, 7), powers, skewed;
  for (int i = 20; i >= 0; --i) powers.push_back(int64_t{1} << i);
  for (int i = 1; i <= 500; ++i) skewed.push_back(1'000'000 / i);
  for (const auto& counts : {equal, powers, skewed}) {
    const HuffmanCode code = build_huffman_code(counts);
    std::vector<std::vector<uint8_t>> words;
    double kraft = 0, bits = 0, entropy = 0;
    const auto total =
        static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{}));
    for (size_t i = 0; i < counts.size(); ++i) {
      auto [nodes, branches] = path(code, i);
      std::ranges::reverse(branches);
      kraft += std::ldexp(1.0, -static_cast<int>(branches.size()));
      const double share = static_cast<double>(counts[i]) / total;
      bits += share * static_cast<double>(branches.size());
      entropy -= share * std::log2(share);
      CHECK(std::ranges::is_sorted(nodes));
      CHECK(nodes.back() == static_cast<int32_t>(counts.size()) - 2);
      words.push_back(std::move(branches));
    }
    CHECK(kraft == 1.0);
    CHECK(bits >= entropy - 1e-9);
    CHECK(bits < entropy + 1);
    // In alphabetical order, a prefix stands right before what it is a prefix of.
    std::ranges::sort(words);
    for (size_t i = 1; i < words.size(); ++i) {
      CHECK(std::ranges::mismatch(words[i - 1], words[i]).in1 != words[i - 1].end());
    }
  }
  const HuffmanCode eight = build_huffman_code(equal);
  for (size_t i = 0; i < equal.size(); ++i) CHECK(path(eight, i).nodes.size() == 6);
  const HuffmanCode chain = build_huffman_code(powers);
  for (size_t i = 0; i < 20; ++i) CHECK(path(chain, i).nodes.size() == i + 1);
}

TEST_CASE("permutation: every order, as often as any other, and by seed and stream") {
  CHECK(permutation(0, 1, 2).empty());
  CHECK(permutation(1, 1, 2) == std::vector<int32_t>{0});
  std::map<std::vector<int32_t>, int> seen;
  constexpr int kDraws = 24'000;
  for (int stream = 0; stream < kDraws; ++stream) {
    ++seen[permutation(4, 7, static_cast<uint64_t>(stream))];
  }
  CHECK(seen.size() == 24);
  for (const auto& [order, count] : seen) CHECK(std::abs(count - 1000) < 160);  // 5 deviations
  const auto large = permutation(100'000, 3, 0);
  CHECK(large == permutation(100'000, 3, 0));
  CHECK(large != permutation(100'000, 4, 0));
  CHECK(large != permutation(100'000, 3, 1));
  auto sorted = large;
  std::ranges::sort(sorted);
  for (size_t i = 0; i < sorted.size(); ++i) CHECK(sorted[i] == static_cast<int32_t>(i));
}

TEST_CASE("fill_uniform: within bounds, padding zero, the same for any number of threads") {
  constexpr size_t kRows = 5000, kDim = 20, kStride = 32;  // five pieces of work
  const float bound = 0.05f;
  std::vector<float> expected;
  for (const unsigned n_threads : {1U, 2U, 3U, 64U}) {
    CAPTURE(n_threads);
    std::vector<float> matrix(kRows * kStride, 9.0f);
    fill_uniform(matrix.data(), kRows, kDim, kStride, bound, 42, n_threads);
    double sum = 0, least = 1, greatest = -1;
    for (size_t i = 0; i < matrix.size(); ++i) {
      if (i % kStride >= kDim) {
        if (matrix[i] != 0.0f) FAIL_CHECK("padding at " << i);
        continue;
      }
      sum += double{matrix[i]};
      least = std::min(least, double{matrix[i]});
      greatest = std::max(greatest, double{matrix[i]});
    }
    CHECK(least >= -double{bound});
    CHECK(greatest <= double{bound});
    CHECK(least < -0.98 * double{bound});
    CHECK(greatest > 0.98 * double{bound});
    // The mean of 100,000 has a standard deviation of bound / sqrt(3 x 100,000).
    CHECK(std::abs(sum) / (kRows * kDim) < 5 * double{bound} / std::sqrt(3.0 * kRows * kDim));
    if (expected.empty()) expected = matrix;
    CHECK(matrix == expected);
  }
  std::vector<float> other(kRows * kStride);
  fill_uniform(other.data(), kRows, kDim, kStride, bound, 43, 1);
  CHECK(other != expected);
  fill_uniform(nullptr, 0, kDim, kStride, bound, 42, 4);  // no rows at all
}

constexpr int32_t kLineEnd = 0;
constexpr size_t kWords = 12, kDim = 10, kStride = 16;

// A text of lines of 0 to 9 words, and all that training it needs.
struct Example {
  std::vector<int32_t> tokens, rows;
  std::vector<uint32_t> keep;
  std::vector<int64_t> row_offsets{0};
  AliasTable negatives;
  HuffmanCode code;
  FloatBuffer input{2 * kWords * kStride}, output{kWords * kStride};
  Mode mode = Mode::kSkipgram;
  Loss loss = Loss::kNegativeSampling;
  uint32_t shared_negatives = 8, window_size = 3;

  explicit Example(size_t n_lines = 200) : keep(kWords, UINT32_MAX) {
    Random random(5, 5);
    for (size_t line = 0; line < n_lines; ++line) {
      for (uint32_t left = random.below(10); left > 0; --left) {
        tokens.push_back(static_cast<int32_t>(1 + random.below(kWords - 1)));
      }
      tokens.push_back(kLineEnd);
    }
    for (size_t word = 0; word < kWords; ++word) {
      rows.push_back(static_cast<int32_t>(word));
      for (size_t i = 0; i < word % 4; ++i) {
        rows.push_back(static_cast<int32_t>(kWords + (word + 3 * i) % kWords));
      }
      row_offsets.push_back(static_cast<int64_t>(rows.size()));
    }
    negatives = build_alias_table(std::vector<double>(kWords, 1.0));
    code = build_huffman_code(std::vector<int64_t>(kWords, 1));
    fill_uniform(input.data(), 2 * kWords, kDim, kStride, 0.5f, 1, 1);
    fill_uniform(output.data(), kWords, kDim, kStride, 0.5f, 2, 1);
  }

  Problem problem() {
    const uint32_t block_tokens = 100;
    const uint64_t n_blocks = (tokens.size() + block_tokens - 1) / block_tokens;
    return {.mode = mode,
            .loss = loss,
            .dim = kDim,
            .window_size = window_size,
            .negative_samples = 5,
            .shared_negatives = shared_negatives,
            .tile_size = 16,
            .learning_rate = 0.05f,
            .seed = 3,
            .tokens = tokens,
            .block_tokens = block_tokens,
            .n_blocks = n_blocks,
            .total_blocks = 2 * n_blocks,
            .n_streams = 3,
            .line_end = kLineEnd,
            .keep = keep,
            .negatives = {negatives.accept, negatives.alias},
            .row_offsets = row_offsets,
            .rows = rows,
            .paths = {code.offsets, code.nodes, code.branches},
            .input = {input.data(), 2 * kWords, kStride},
            .output = {output.data(), kWords, kStride}};
  }

  SpanResult train(unsigned n_threads) {
    const Problem p = problem();
    return train_span(p, *find_kernels("auto"), 0, p.total_blocks, n_threads);
  }

  std::vector<float> matrices() {
    std::vector<float> all(input.data(), input.data() + 2 * kWords * kStride);
    all.insert(all.end(), output.data(), output.data() + kWords * kStride);
    return all;
  }
};

TEST_CASE("windows end at line ends and at the block's, and are of every reach") {
  Example example;
  for (const uint32_t keep : {UINT32_MAX, uint32_t{1} << 30}) {
    std::fill(example.keep.begin() + 1, example.keep.end(), keep);  // line ends stay
    const Problem problem = example.problem();
    std::vector<int> reached(example.window_size + 1);
    for (uint64_t b = 0; b < problem.n_blocks; ++b) {
      Random random(problem.seed, b);
      Block block;
      sample_block(problem, b, random, block);
      const auto n = static_cast<int32_t>(block.words.size());
      REQUIRE(block.context_begin.size() == block.words.size());
      REQUIRE(block.context_end.size() == block.words.size());
      if (keep == UINT32_MAX) {
        const size_t begin = b * problem.block_tokens;
        const size_t end = std::min<size_t>(begin + problem.block_tokens, example.tokens.size());
        const std::span whole = std::span(example.tokens).subspan(begin, end - begin);
        CHECK(std::ranges::equal(block.words, whole));
      }
      for (int32_t i = 0; i < n; ++i) {
        const auto at = static_cast<size_t>(i);
        const int32_t first = block.context_begin[at], end = block.context_end[at];
        REQUIRE(0 <= first);
        REQUIRE(first <= i);
        REQUIRE(i < end);
        REQUIRE(end <= n);
        CHECK(block.n_contexts(at) == end - first - 1);
        CHECK(std::max(i - first, end - 1 - i) <= static_cast<int32_t>(problem.window_size));
        ++reached.at(static_cast<size_t>(std::max(i - first, end - 1 - i)));
        // The line end belongs to its line: only the last position of a window may be one.
        for (int32_t j = first; j + 1 < end; ++j) {
          CHECK(block.words[static_cast<size_t>(j)] != kLineEnd);
        }
      }
    }
    CHECK(std::ranges::min(reached) > 0);
  }
}

TEST_CASE("every epoch has each block once, whatever the streams") {
  Example example;
  Problem problem = example.problem();
  for (const uint64_t n_blocks : {uint64_t{1}, uint64_t{2}, uint64_t{10}, uint64_t{17}}) {
    for (const uint64_t n_streams : {uint64_t{1}, uint64_t{3}, uint64_t{17}, UINT64_MAX}) {
      problem.n_blocks = n_blocks;
      problem.n_streams = n_streams;
      std::vector<uint64_t> blocks, expected(n_blocks);
      for (uint64_t i = n_blocks; i < 2 * n_blocks; ++i) blocks.push_back(problem.block_of(i));
      if (n_streams == 3 && n_blocks == 10) {
        CHECK(blocks == std::vector<uint64_t>{0, 3, 6, 1, 4, 7, 2, 5, 8, 9});
      }
      std::ranges::sort(blocks);
      std::iota(expected.begin(), expected.end(), uint64_t{0});
      CHECK(blocks == expected);
    }
  }
}

TEST_CASE("subsampling keeps the share that it should, and all of a word or none of it") {
  Example example(2000);
  example.keep[1] = uint32_t{1} << 31;
  example.keep[2] = 0;
  const Problem problem = example.problem();
  std::vector<double> kept(kWords), all(kWords);
  for (uint64_t b = 0; b < problem.n_blocks; ++b) {
    Random random(problem.seed, b);
    Block block;
    sample_block(problem, b, random, block);
    for (const int32_t word : block.words) ++kept[static_cast<size_t>(word)];
  }
  for (const int32_t word : example.tokens) ++all[static_cast<size_t>(word)];
  CHECK(std::abs(kept[1] - all[1] / 2) < 5 * std::sqrt(all[1] / 4));
  CHECK(kept[2] == 0);
  for (size_t word = 3; word < kWords; ++word) CHECK(kept[word] == all[word]);
}

template <typename F>
void for_each_step(F&& f) {
  for (const Mode mode : {Mode::kSkipgram, Mode::kCbow}) {
    for (const Loss loss : {Loss::kNegativeSampling, Loss::kHierarchicalSoftmax}) {
      for (const uint32_t shared_negatives : {8U, 0U}) {
        const auto make = [=] {
          Example example;
          example.mode = mode;
          example.loss = loss;
          example.shared_negatives = shared_negatives;
          return example;
        };
        CAPTURE(static_cast<int>(mode));
        CAPTURE(static_cast<int>(loss));
        CAPTURE(shared_negatives);
        f(make);
      }
    }
  }
}

TEST_CASE("one thread gives the same bytes twice") {
  for_each_step([](const auto& make) {
    Example first = make(), second = make();
    const auto before = first.matrices();
    const SpanResult a = first.train(1), b = second.train(1);
    CHECK(a.finite);
    CHECK(a.loss == b.loss);
    CHECK(a.n_pairs == b.n_pairs);
    CHECK(a.n_pairs > 0);
    const auto left = first.matrices(), right = second.matrices();
    CHECK(left != before);
    CHECK(std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) == 0);
  });
}

TEST_CASE("a block without a word and a block of line ends only do nothing") {
  for_each_step([](const auto& make) {
    Example example = make();
    const auto before = example.matrices();
    std::ranges::fill(example.keep, 0U);
    const SpanResult nothing = example.train(1);
    CHECK(nothing.n_pairs == 0);
    CHECK(nothing.loss == 0);
    CHECK(nothing.finite);
    CHECK(std::ranges::equal(example.matrices(), before));
    std::ranges::fill(example.keep, UINT32_MAX);
    std::ranges::fill(example.tokens, kLineEnd);
    CHECK(example.train(1).n_pairs == 0);
    CHECK(std::ranges::equal(example.matrices(), before));
  });
}

// The race of Hogwild is meant; a run whose threads never meet must not differ from one thread's.
TEST_CASE("more threads than blocks: one block is trained once") {
  for_each_step([](const auto& make) {
    Example one = make(), many = make();
    const Problem a = one.problem(), b = many.problem();
    const SpanResult expected = train_span(a, *find_kernels("auto"), 0, 1, 1);
    const SpanResult found = train_span(b, *find_kernels("auto"), 0, 1, 64);
    CHECK(found.loss == expected.loss);
    CHECK(found.n_pairs == expected.n_pairs);
    CHECK(std::ranges::equal(one.matrices(), many.matrices()));
  });
}

TEST_CASE("threads share all blocks: each is trained, none twice") {
  for_each_step([](const auto& make) {
    Example one = make(), many = make();
    // Windows and subsampling depend on the block's stream alone, so that the pairs are the same.
    CHECK(one.train(1).n_pairs == many.train(7).n_pairs);
    const auto numbers = many.matrices();
    CHECK(std::ranges::all_of(numbers, [](float x) { return std::isfinite(x); }));
  });
}

TEST_CASE("NaN and infinity in a matrix are reported as not finite") {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for_each_step([=](const auto& make) {
      for (const unsigned n_threads : {1U, 3U}) {
        Example example = make();
        for (size_t word = 0; word < kWords; ++word) example.input[word * kStride] = bad;
        CHECK_FALSE(example.train(n_threads).finite);
      }
    });
  }
}

TEST_CASE("what a thread throws reaches the caller, when all threads have ended") {
  Example example;
  example.shared_negatives = 0;
  Problem problem = example.problem();
  problem.input = {example.input.data(), 2 * kWords, size_t{1} << 62};  // no buffer is that long
  for (const unsigned n_threads : {1U, 4U}) {
    CHECK_THROWS_AS(train_span(problem, *find_kernels("auto"), 0, 4, n_threads), std::bad_alloc);
  }
}

}  // namespace
}  // namespace brasa
