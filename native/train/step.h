// One training step, chosen by mode and loss: each trains the words at positions begin .. end - 1
// of a block.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <new>

#include "train/block.h"
#include "train/problem.h"

namespace brasa {

class Step {
 public:
  virtual ~Step() = default;
  // Positions of the block that one call of `train` takes.
  virtual size_t tile_size() const = 0;
  // Called for every tile in order, before the tile ahead of it is trained: draws its negatives and
  // notes the rows that it will touch, to be fetched meanwhile. An empty tile follows the last.
  virtual void prepare(const Block& block, size_t begin, size_t end, Random& random) = 0;
  // Trains the tile prepared last but one. Adds its loss when `loss` is not null.
  virtual void train(const Block& block, size_t begin, size_t end, float learning_rate,
                     LossSum* loss) = 0;
};

std::unique_ptr<Step> make_skipgram_tile(const Problem& problem, const Kernels& kernels);
std::unique_ptr<Step> make_cbow_tile(const Problem& problem, const Kernels& kernels);
// Every pair on its own, as fastText trains: exact negatives, and hierarchical softmax.
std::unique_ptr<Step> make_pairwise(const Problem& problem, const Kernels& kernels);

// -log sigmoid(score), without overflow.
inline double softplus_of_minus(float score) {
  const double x = score;
  return x > 0 ? std::log1p(std::exp(-x)) : std::log1p(std::exp(x)) - x;
}

// Zeroed floats on a cache-line boundary.
class FloatBuffer {
 public:
  explicit FloatBuffer(size_t n)
      : data_(static_cast<float*>(::operator new(n_bytes(n), std::align_val_t{64}))) {
    std::fill_n(data_.get(), n + kRowAlign, 0.0f);
  }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  float& operator[](size_t i) { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(float* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  static size_t n_bytes(size_t n) {
    if (n > SIZE_MAX / sizeof(float) - kRowAlign) throw std::bad_array_new_length();
    return (n + kRowAlign) * sizeof(float);
  }

  std::unique_ptr<float, Free> data_;
};

}  // namespace brasa
