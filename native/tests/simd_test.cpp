// Every kernel of every instruction set against the sum that it stands for, in double precision.
//
// The numbers are multiples of 1/8 in [-1, 1]: products are multiples of 1/64, and sums of 2048 of
// them need 18 bits. All arithmetic but that of the sigmoid is therefore exact in float, in any
// order, and kernels must agree to the last bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include "simd/kernels.h"
#include "text/bucket_set.h"
#include "train/step.h"

namespace brasa {
namespace {

constexpr size_t kStrides[] = {16, 32, 112, 128, 144, 304, 2048};
constexpr size_t kRowCounts[] = {0, 1, 3, 4, 5, 8, 9, 33};
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> found;
  for (const std::string_view name : {"avx512", "avx2", "neon", "scalar"}) {
    const Kernels* kernels = find_kernels(name);
    if (kernels != nullptr) found.push_back(kernels);
  }
  return found;
}

// Aligned rows of a matrix; `numbers` gives them as a vector to compute with and to compare.
class Rows {
 public:
  Rows(size_t n, size_t stride, std::mt19937& random)
      : n_(n), stride_(stride), floats_(n * stride) {
    for (size_t i = 0; i < n * stride; ++i) floats_[i] = eighth(random);
  }
  static float eighth(std::mt19937& random) {
    return static_cast<float>(static_cast<int>(random() % 17) - 8) / 8;
  }

  float* row(size_t i) { return floats_.data() + i * stride_; }
  float* data() { return floats_.data(); }
  std::vector<double> numbers() { return {row(0), row(0) + n_ * stride_}; }
  std::vector<float*> addresses(const std::vector<int32_t>& rows) {
    std::vector<float*> result;
    for (const int32_t r : rows) result.push_back(row(static_cast<size_t>(r)));
    return result;
  }

 private:
  size_t n_, stride_;
  FloatBuffer floats_;
};

// n of `n_rows` rows, most of them more than once when n is larger.
std::vector<int32_t> pick_rows(size_t n, size_t n_rows, std::mt19937& random) {
  std::vector<int32_t> rows(n);
  for (int32_t& r : rows) r = static_cast<int32_t>(random() % n_rows);
  return rows;
}

std::vector<const float*> read_only(const std::vector<float*>& rows) {
  return {rows.begin(), rows.end()};
}

std::vector<float> eighths(size_t n, std::mt19937& random) {
  std::vector<float> values(n);
  for (float& value : values) value = Rows::eighth(random);
  return values;
}

// Calls f(kernels, stride, n rows, random numbers) for every shape and instruction set.
using Check = std::function<void(const Kernels&, size_t, size_t, std::mt19937&)>;
void for_each_shape(const Check& f) {
  for (const Kernels* kernels : available_kernels()) {
    std::mt19937 random(1);
    for (const size_t stride : kStrides) {
      for (const size_t n : kRowCounts) {
        CAPTURE(kernels->name);
        CAPTURE(stride);
        CAPTURE(n);
        f(*kernels, stride, n, random);
      }
    }
  }
}

TEST_CASE("this processor's instructions are used, and the names are told apart") {
  for (const Kernels* kernels : available_kernels()) CHECK(find_kernels(kernels->name) == kernels);
  CHECK(find_kernels("auto") == available_kernels().front());
  CHECK(find_kernels("scalar") != nullptr);
  CHECK(find_kernels("") == nullptr);
  CHECK(find_kernels("sse9") == nullptr);
#if defined(__aarch64__)
  CHECK(find_kernels("auto") == find_kernels("neon"));
#elif defined(__x86_64__)
  CHECK((find_kernels("avx2") != nullptr) == (__builtin_cpu_supports("avx2") != 0));
  CHECK(find_kernels("neon") == nullptr);
#endif
}

TEST_CASE("sum_rows") {
  for_each_shape([](const Kernels& kernels, size_t stride, size_t n, std::mt19937& random) {
    Rows matrix(7, stride, random);
    const auto rows = pick_rows(n, 7, random);
    for (const float scale : {1.0f, 1.0f / 3.0f}) {
      Rows out(1, stride, random);
      kernels.sum_rows(matrix.data(), stride, rows.data(), n, scale, out.data());
      std::vector<double> expected(stride);
      for (size_t d = 0; d < stride; ++d) {
        for (const int32_t r : rows) expected[d] += double{matrix.row(static_cast<size_t>(r))[d]};
        expected[d] = double{static_cast<float>(expected[d]) * scale};  // rounded once
      }
      CHECK(out.numbers() == expected);
    }
  });
}

TEST_CASE("add_to_rows: a row named twice moves twice") {
  for_each_shape([](const Kernels& kernels, size_t stride, size_t n, std::mt19937& random) {
    Rows matrix(7, stride, random), delta(1, stride, random);
    const auto rows = pick_rows(n, 7, random);
    auto expected = matrix.numbers();
    for (const int32_t r : rows) {
      for (size_t d = 0; d < stride; ++d) {
        expected[static_cast<size_t>(r) * stride + d] += double{delta.row(0)[d]};
      }
    }
    kernels.add_to_rows(matrix.data(), stride, rows.data(), n, delta.data());
    CHECK(matrix.numbers() == expected);
  });
}

TEST_CASE("dot_rows") {
  for_each_shape([](const Kernels& kernels, size_t stride, size_t n, std::mt19937& random) {
    Rows matrix(7, stride, random), vector(1, stride, random);
    const auto rows = read_only(matrix.addresses(pick_rows(n, 7, random)));
    std::vector<float> out(n + 1, 77.0f), expected(n + 1, 77.0f);
    for (size_t k = 0; k < n; ++k) {
      double sum = 0;
      for (size_t d = 0; d < stride; ++d) sum += double{vector.row(0)[d]} * double{rows[k][d]};
      expected[k] = static_cast<float>(sum);
    }
    kernels.dot_rows(vector.data(), rows.data(), n, stride, out.data());
    CHECK(out == expected);  // and nothing behind the last
  });
}

TEST_CASE("dot_unpadded_rows: rows anywhere, of any length, the last one before no man's land") {
  for (const Kernels* kernels : available_kernels()) {
    std::mt19937 random(1);
    for (const size_t dim : {1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 100, 300, 2047, 2048}) {
      for (const size_t n : kRowCounts) {
        CAPTURE(kernels->name);
        CAPTURE(dim);
        CAPTURE(n);
        Rows vector(1, round_up(dim, kRowAlign), random);
        std::fill(vector.row(0) + dim, vector.row(1), 0.0f);
        const std::vector<float> numbers = eighths(7 * dim + 3, random);  // to its last number
        std::vector<const float*> rows(n);
        for (const float*& row : rows) row = numbers.data() + random() % 7 * dim + random() % 4;
        std::vector<float> out(n + 1, 77.0f), expected(n + 1, 77.0f);
        for (size_t k = 0; k < n; ++k) {
          double sum = 0;
          for (size_t d = 0; d < dim; ++d) sum += double{vector.row(0)[d]} * double{rows[k][d]};
          expected[k] = static_cast<float>(sum);
        }
        kernels->dot_unpadded_rows(vector.data(), rows.data(), n, dim, out.data());
        CHECK(out == expected);
      }
    }
  }
}

TEST_CASE("add_weighted_rows") {
  for_each_shape([](const Kernels& kernels, size_t stride, size_t n, std::mt19937& random) {
    Rows matrix(7, stride, random), out(1, stride, random);
    const auto rows = read_only(matrix.addresses(pick_rows(n, 7, random)));
    const auto coefficients = eighths(n, random);
    auto expected = out.numbers();
    for (size_t k = 0; k < n; ++k) {
      for (size_t d = 0; d < stride; ++d) {
        expected[d] += double{coefficients[k]} * double{rows[k][d]};
      }
    }
    kernels.add_weighted_rows(out.data(), rows.data(), coefficients.data(), n, stride);
    CHECK(out.numbers() == expected);
  });
}

TEST_CASE("train_pairs: rows named twice move twice, scores are of the start") {
  for_each_shape([](const Kernels& kernels, size_t stride, size_t n, std::mt19937& random) {
    for (size_t n_centres = 1; n_centres <= kCentres; ++n_centres) {
      CAPTURE(n_centres);
      Rows hidden(n_centres, stride, random), matrix(7, stride, random);
      for (size_t i = 0; i < 7; ++i) {  // scores of moderate size, whatever the stride
        for (size_t d = 0; d < stride; ++d) matrix.row(i)[d] /= static_cast<float>(stride);
      }
      const auto negatives = pick_rows(n, 7, random), contexts = pick_rows(n_centres, 7, random);
      auto h = hidden.numbers(), rows = matrix.numbers();
      const auto at = [&](int32_t row) { return static_cast<size_t>(row) * stride; };
      constexpr double kScale = 0.5;
      std::vector<double> scores, gradients;
      const auto score = [&](int32_t row, size_t c, double label) {
        double sum = 0;
        for (size_t d = 0; d < stride; ++d) sum += h[c * stride + d] * rows[at(row) + d];
        scores.push_back(sum);
        gradients.push_back(kScale * (label - 1 / (1 + std::exp(-sum))));
      };
      for (size_t c = 0; c < n_centres; ++c) score(contexts[c], c, 1);
      for (const int32_t r : negatives) {
        for (size_t c = 0; c < n_centres; ++c) score(r, c, 0);
      }
      auto moved = h;
      const auto move = [&](int32_t row, size_t first, size_t last, const double* gradient) {
        for (size_t d = 0; d < stride; ++d) {
          double& x = rows[at(row) + d];
          const double before = x;
          for (size_t c = first; c < last; ++c) {
            moved[c * stride + d] += gradient[c] * before;
            x += gradient[c] * h[c * stride + d];
          }
        }
      };
      for (size_t r = 0; r < n; ++r) {
        move(negatives[r], 0, n_centres, gradients.data() + (r + 1) * n_centres);
      }
      for (size_t c = 0; c < n_centres; ++c) move(contexts[c], c, c + 1, gradients.data());

      const std::vector<int32_t> all = {0, 1, 2, 3};
      const size_t room = (n + 1) * kCentres + 2 * kLanes;
      FloatBuffer found_scores(room), found_gradients(room);
      kernels.train_pairs(hidden.addresses(all).data(), matrix.addresses(contexts).data(),
                          n_centres, matrix.addresses(negatives).data(), n, stride,
                          static_cast<float>(kScale), found_scores.data(), found_gradients.data());
      for (size_t r = 0; r <= n; ++r) {
        for (size_t c = 0; c < n_centres; ++c) {
          CHECK(double{found_scores[r * kCentres + c]} ==
                doctest::Approx(scores[r * n_centres + c]).epsilon(1e-5));
          CHECK(double{found_gradients[r * kCentres + c]} ==
                doctest::Approx(gradients[r * n_centres + c]).epsilon(1e-5));
        }
      }
      const auto close = [](const std::vector<double>& a, const std::vector<double>& b) {
        return std::ranges::equal(a, b, [](double x, double y) { return std::abs(x - y) < 1e-4; });
      };
      CHECK(close(hidden.numbers(), moved));
      CHECK(close(matrix.numbers(), rows));
    }
  });
}

TEST_CASE("transpose_tile") {
  for (const Kernels* kernels : available_kernels()) {
    std::mt19937 random(2);
    for (const size_t stride : kStrides) {
      CAPTURE(kernels->name);
      CAPTURE(stride);
      Rows tile(kLanes, stride, random), transposed(kLanes, stride, random);
      // Every number once, so that no two can be exchanged unnoticed.
      for (size_t i = 0; i < kLanes * stride; ++i) tile.data()[i] = static_cast<float>(i);
      kernels->transpose_tile(tile.data(), stride, transposed.data());
      std::vector<double> expected(kLanes * stride);
      for (size_t i = 0; i < kLanes; ++i) {
        for (size_t d = 0; d < stride; ++d) {
          expected[d * kLanes + i] = static_cast<double>(i * stride + d);
        }
      }
      CHECK(transposed.numbers() == expected);
    }
  }
}

TEST_CASE("score_tile: vectors shorter than their rows too") {
  for_each_shape([](const Kernels& kernels, size_t stride, size_t n, std::mt19937& random) {
    Rows transposed(kLanes, stride, random), matrix(7, stride, random);
    const auto rows = read_only(matrix.addresses(pick_rows(n, 7, random)));
    for (const size_t dim : {stride, stride - 1, stride - 15}) {
      for (const size_t score_stride : {kLanes, 2 * kLanes}) {
        Rows scores(n + 1, score_stride, random);
        auto expected = scores.numbers();
        for (size_t r = 0; r < n; ++r) {
          for (size_t i = 0; i < kLanes; ++i) {
            double sum = 0;
            for (size_t d = 0; d < dim; ++d) {
              sum += double{rows[r][d]} * double{transposed.data()[d * kLanes + i]};
            }
            expected[r * score_stride + i] = sum;
          }
        }
        kernels.score_tile(transposed.data(), rows.data(), n, dim, score_stride, scores.data());
        CHECK(scores.numbers() == expected);
      }
    }
  });
}

TEST_CASE("add_products: targets named twice add up, whichever way the factors lie") {
  for_each_shape([](const Kernels& kernels, size_t stride, size_t n, std::mt19937& random) {
    for (const size_t n_sources : {size_t{0}, size_t{1}, size_t{5}, size_t{16}}) {
      for (const bool by_column : {false, true}) {
        Rows matrix(7, stride, random), sources(n_sources, stride, random);
        const auto rows = pick_rows(n, 7, random);
        const auto factors = eighths(n * n_sources, random);
        const size_t a_row = by_column ? 1 : n_sources, a_column = by_column ? n : 1;
        std::vector<const float*> source_rows;
        for (size_t k = 0; k < n_sources; ++k) source_rows.push_back(sources.row(k));
        auto expected = matrix.numbers();
        for (size_t m = 0; m < n; ++m) {
          for (size_t k = 0; k < n_sources; ++k) {
            const double factor = double{factors[m * a_row + k * a_column]};
            for (size_t d = 0; d < stride; ++d) {
              expected[static_cast<size_t>(rows[m]) * stride + d] +=
                  factor * double{source_rows[k][d]};
            }
          }
        }
        kernels.add_products(matrix.addresses(rows).data(), n, factors.data(), a_row, a_column,
                             source_rows.data(), n_sources, stride);
        CHECK(matrix.numbers() == expected);
      }
    }
  });
}

TEST_CASE("one number that is off by its last bit is noticed") {
  std::mt19937 random(3);
  Rows matrix(1, 2048, random);
  const auto expected = matrix.numbers();
  matrix.data()[2047] = std::nextafter(matrix.data()[2047], kInfinity);
  CHECK(matrix.numbers() != expected);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The largest error of a float sigmoid. Its exponential is off by 2e-7 for the polynomial and by
// |x| 2^-23 for the rounding of x log2(e) and of -x; sigmoid' = s (1 - s) passes that on, and the
// sum and the quotient round by 2^-24 each. Beyond +-30 it may stay at sigmoid(+-30), 1e-13 off.
double sigmoid_error(double x) {
  const double inside = std::min(std::abs(x), 30.0), s = sigmoid(x);
  const double exponential = 2e-7 + inside * 0x1p-23;
  return s * ((1 - s) * exponential + 2 * 0x1p-24) + (std::abs(x) >= 30 ? 1e-13 : 0);
}

const std::vector<float> kScores = [] {
  std::vector<float> scores{0.0f,   -0.0f, 1e-6f,  1.0f,   -1.0f,     8.0f,       -8.0f, 29.0f,
                            -29.0f, 30.0f, -30.0f, 31.0f,  -31.0f,    1e6f,       -1e6f, 3e38f,
                            -3e38f, 88.0f, -88.0f, 1e-44f, kInfinity, -kInfinity, 0.5f,  -0.5f};
  std::mt19937 random(4);
  std::uniform_real_distribution<float> uniform(-32.0f, 32.0f);
  while (scores.size() < 4096) scores.push_back(uniform(random));
  return scores;
}();

FloatBuffer buffer(const std::vector<float>& values) {
  FloatBuffer result(values.size());
  std::copy(values.begin(), values.end(), result.data());
  return result;
}

TEST_CASE("logistic_gradient") {
  for (const Kernels* kernels : available_kernels()) {
    for (const float label : {0.0f, 1.0f}) {
      for (const float scale : {1.0f, 0.05f}) {
        FloatBuffer values = buffer(kScores);
        kernels->logistic_gradient(values.data(), kScores.size(), label, scale);
        for (size_t k = 0; k < kScores.size(); ++k) {
          const double x = double{kScores[k]};
          const double expected = double{scale} * (double{label} - sigmoid(x));
          // The difference from the label rounds, and so does the product of label and scale.
          const double error = double{scale} * (sigmoid_error(x) + 2 * 0x1p-24);
          CAPTURE(kernels->name);
          CAPTURE(x);
          CHECK(std::abs(double{values[k]} - expected) <= error);
        }
      }
    }
  }
}

TEST_CASE("negative_gradient: small gradients are relatively right") {
  const size_t n_rows = kScores.size() / 32;
  std::vector<float> weights;
  for (size_t i = 0; i < 32; ++i) weights.push_back(0.01f * static_cast<float>(i));
  for (const Kernels* kernels : available_kernels()) {
    FloatBuffer values = buffer(kScores), factors = buffer(weights);
    kernels->negative_gradient(values.data(), n_rows, 32, factors.data());
    for (size_t k = 0; k < kScores.size(); ++k) {
      const double x = double{kScores[k]}, weight = double{weights[k % 32]};
      const double expected = -weight * sigmoid(x);
      CAPTURE(kernels->name);
      CAPTURE(x);
      CHECK(std::abs(double{values[k]} - expected) <=
            weight * sigmoid_error(x) - expected * 0x1p-24);
    }
  }
}

TEST_CASE("the sigmoid's tolerance is narrow: one part in 10^5 shows") {
  for (const double x : {-29.0, -8.0, -1.0, 0.0, 1.0}) {
    CHECK(sigmoid_error(x) < 1e-5 * sigmoid(x));
  }
}

TEST_CASE("buckets get numbers, those that are not used none") {
  std::mt19937 random(5);
  for (const uint32_t n_buckets : {1U, 63U, 64U, 192U, 193U, 1000U}) {
    for (const uint32_t one_in : {1U, 2U, 50U}) {
      BucketSet set(n_buckets);
      std::vector<uint32_t> used;
      for (uint32_t bucket = 0; bucket < n_buckets; ++bucket) {
        if (random() % one_in != 0) continue;
        set.add(bucket);
        used.push_back(bucket);
      }
      CHECK(set.to_sorted_ids() == used);
      std::vector<uint32_t> asked(3 * n_buckets);
      for (uint32_t& bucket : asked) bucket = static_cast<uint32_t>(random()) % n_buckets;
      std::vector<int32_t> expected;
      for (const uint32_t bucket : asked) {
        const auto place = std::ranges::lower_bound(used, bucket);
        const bool is_used = place != used.end() && *place == bucket;
        CHECK(set.contains(bucket) == is_used);
        if (is_used) expected.push_back(7 + static_cast<int32_t>(place - used.begin()));
      }
      for (const Kernels* kernels : available_kernels()) {
        CAPTURE(kernels->name);
        std::vector<int32_t> found(asked.size());
        found.resize(
            static_cast<size_t>(set.number(asked, 7, found.data(), *kernels) - found.data()));
        CHECK(found == expected);
        std::vector<int32_t> in_place(asked.begin(), asked.end());
        in_place.resize(static_cast<size_t>(
            set.number({reinterpret_cast<const uint32_t*>(in_place.data()), in_place.size()}, 7,
                       in_place.data(), *kernels) -
            in_place.data()));
        CHECK(in_place == expected);
      }
    }
  }
}

TEST_CASE("NaN stays NaN in its own lane: a run that diverges is recognized by it") {
  for (const Kernels* kernels : available_kernels()) {
    for (size_t at = 0; at < kLanes; ++at) {
      FloatBuffer values(kLanes), negatives(kLanes), weights = buffer(std::vector(kLanes, 1.0f));
      values[at] = negatives[at] = kNan;
      kernels->logistic_gradient(values.data(), kLanes, 1.0f, 0.05f);
      kernels->negative_gradient(negatives.data(), 1, kLanes, weights.data());
      for (size_t i = 0; i < kLanes; ++i) {
        CAPTURE(kernels->name);
        CHECK(std::isnan(values[i]) == (i == at));
        CHECK(std::isnan(negatives[i]) == (i == at));
      }
    }
  }
}

}  // namespace
}  // namespace brasa
