#include "quantize/product_quantizer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

#include "parallel/parallel_for.h"

namespace brasa {
namespace {

constexpr int kIterations = 25;
constexpr size_t kMaxPoints = 65536;
// How far a centroid that was split is moved from its other half.
constexpr float kSplit = 1e-7F;
// Below this many points a second thread brings little: a point takes 0.2 us.
constexpr size_t kPointsPerThread = 1024;
// Four distances at once: a register of the baseline. Spelled out, since the compiler left arrays
// of them in memory: 0.11 us a point of two numbers instead of 0.27. The kernels of simd/ are no
// help, as their fused multiply-add rounds otherwise than fastText does.
constexpr size_t kLanes = 4;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Ints = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));
constexpr size_t kRegisters = 2;

// The centroids of one part, coordinate by coordinate, so that a register holds several of them.
class Centroids {
 public:
  Centroids(const float* centroids, size_t dim) : dim_(dim), columns_(kCentroids * dim) {
    for (size_t k = 0; k < kCentroids; ++k) {
      for (size_t d = 0; d < dim; ++d) columns_[d * kCentroids + k] = centroids[k * dim + d];
    }
  }

  // The nearest one. Distances are summed coordinate by coordinate, as fastText sums them.
  uint8_t nearest(const float* point) const {
    std::array<Floats, kRegisters> best;
    std::array<Ints, kRegisters> block_of{};  // where the best of each lane was found
    best.fill(Floats{} + std::numeric_limits<float>::infinity());
    for (size_t block = 0; block < kCentroids; block += kRegisters * kLanes) {
      std::array<Floats, kRegisters> distance{};
      for (size_t d = 0; d < dim_; ++d) {
        const float* column = columns_.data() + d * kCentroids + block;
        for (size_t r = 0; r < kRegisters; ++r) {
          Floats centroid;
          std::memcpy(&centroid, column + r * kLanes, sizeof(centroid));
          const Floats difference = point[d] - centroid;
          distance[r] += difference * difference;
        }
      }
      for (size_t r = 0; r < kRegisters; ++r) {
        const Ints nearer = distance[r] < best[r];
        best[r] = nearer ? distance[r] : best[r];
        block_of[r] = nearer ? Ints{} + static_cast<int32_t>(block) : block_of[r];
      }
    }
    return first_of(best, block_of);
  }

 private:
  // The best of all lanes; of equals the one that comes first.
  static uint8_t first_of(const std::array<Floats, kRegisters>& best,
                          const std::array<Ints, kRegisters>& block_of) {
    float least = std::numeric_limits<float>::infinity();
    int32_t found = 0;
    for (size_t r = 0; r < kRegisters; ++r) {
      for (size_t i = 0; i < kLanes; ++i) {
        const int32_t at = block_of[r][i] + static_cast<int32_t>(r * kLanes + i);
        if (best[r][i] < least || (best[r][i] == least && at < found)) {
          least = best[r][i];
          found = at;
        }
      }
    }
    return static_cast<uint8_t>(found);
  }

  size_t dim_;
  std::vector<float> columns_;
};

// k-means over points of one part.
class Clusters {
 public:
  Clusters(std::vector<float> points, size_t dim, std::minstd_rand& random)
      : points_(std::move(points)),
        dim_(dim),
        n_(points_.size() / dim),
        codes_(n_),
        random_(random) {}

  void find(float* centroids) {
    std::vector<int32_t> order(n_);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    for (size_t k = 0; k < kCentroids; ++k) {
      std::copy_n(&points_[static_cast<size_t>(order[k]) * dim_], dim_, centroids + k * dim_);
    }
    for (int i = 0; i < kIterations; ++i) {
      assign(centroids);
      move(centroids);
    }
  }

 private:
  void assign(const float* centroids) {
    const Centroids near(centroids, dim_);
    parallel_for(n_, kPointsPerThread, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) codes_[i] = near.nearest(&points_[i * dim_]);
    });
  }

  // Each centroid to the mean of its points.
  void move(float* centroids) {
    std::array<int32_t, kCentroids> count{};
    std::fill_n(centroids, kCentroids * dim_, 0.0F);
    for (size_t i = 0; i < n_; ++i) {
      float* centroid = centroids + codes_[i] * dim_;
      for (size_t d = 0; d < dim_; ++d) centroid[d] += points_[i * dim_ + d];
      ++count[codes_[i]];
    }
    for (size_t k = 0; k < kCentroids; ++k) {
      for (size_t d = 0; d < dim_ && count[k] > 0; ++d) {
        centroids[k * dim_ + d] /= static_cast<float>(count[k]);
      }
    }
    for (size_t k = 0; k < kCentroids; ++k) {
      if (count[k] == 0) split_into(k, centroids, count);
    }
  }

  // A centroid without points gets half of those of another, drawn by its number of points.
  void split_into(size_t empty, float* centroids, std::array<int32_t, kCentroids>& count) {
    std::uniform_real_distribution<> uniform(0, 1);
    const auto spare = static_cast<double>(n_ - kCentroids);
    size_t from = 0;
    while (uniform(random_) * spare >= count[from] - 1) from = (from + 1) % kCentroids;
    for (size_t d = 0; d < dim_; ++d) {
      const float step = d % 2 == 0 ? -kSplit : kSplit;
      const float value = centroids[from * dim_ + d];
      centroids[empty * dim_ + d] = value + step;
      centroids[from * dim_ + d] = value - step;
    }
    count[empty] = count[from] / 2;
    count[from] -= count[empty];
  }

  std::vector<float> points_;
  size_t dim_, n_;
  std::vector<uint8_t> codes_;
  std::minstd_rand& random_;
};

}  // namespace

std::vector<float> train_centroids(const RowView& rows, size_t part_dim, uint32_t seed) {
  const size_t n_points = std::min(rows.n_rows, kMaxPoints);
  std::vector<float> centroids(kCentroids * rows.dim);
  std::vector<int32_t> order(rows.n_rows);
  std::iota(order.begin(), order.end(), 0);
  std::minstd_rand random(seed);
  for (size_t first = 0; first < rows.dim; first += part_dim) {
    if (n_points < rows.n_rows) std::shuffle(order.begin(), order.end(), random);
    const size_t size = std::min(part_dim, rows.dim - first);
    std::vector<float> points(n_points * size);
    for (size_t i = 0; i < n_points; ++i) {
      std::copy_n(rows.row(static_cast<size_t>(order[i])) + first, size, &points[i * size]);
    }
    Clusters(std::move(points), size, random).find(&centroids[kCentroids * first]);
  }
  return centroids;
}

void encode_rows(const RowView& rows, const CodeBook& book, std::span<uint8_t> codes) {
  const size_t n_parts = book.n_parts();
  std::vector<Centroids> parts;
  for (size_t first = 0; first < book.dim; first += book.part_dim) {
    parts.emplace_back(&book.centroids[kCentroids * first],
                       std::min(book.part_dim, book.dim - first));
  }
  const size_t grain = std::max<size_t>(1, kPointsPerThread / n_parts);
  parallel_for(rows.n_rows, grain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      for (size_t part = 0; part < n_parts; ++part) {
        codes[i * n_parts + part] = parts[part].nearest(rows.row(i) + part * book.part_dim);
      }
    }
  });
}

}  // namespace brasa
