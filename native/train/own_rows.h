// A thread's own copy of a matrix that every step moves as a whole.
#pragma once

#include <algorithm>
#include <cstddef>

#include "train/problem.h"
#include "train/step.h"

namespace brasa {

// Two threads that write all rows of one matrix at every step wait for each other's cache lines:
// with 735 labels of 100 numbers they were slower than one. So each moves its own copy, and adds
// what it moved to the common matrix from time to time.
class OwnRows {
 public:
  explicit OwnRows(const HogwildMatrix& common)
      : common_(common), size_(common.n_rows() * common.stride()), rows_(size_), before_(size_) {
    std::copy_n(common.data(), size_, rows_.data());
    std::copy_n(common.data(), size_, before_.data());
  }

  float* row(size_t index) { return rows_.data() + index * common_.stride(); }

  // Adds what was moved since the last time, and takes over what other threads have moved.
  void exchange() {
    float* const __restrict common = common_.data();
    float* const __restrict rows = rows_.data();
    float* const __restrict before = before_.data();
    for (size_t i = 0; i < size_; ++i) {
      const float now = common[i] + (rows[i] - before[i]);
      common[i] = now;
      rows[i] = now;
      before[i] = now;
    }
  }

 private:
  HogwildMatrix common_;
  size_t size_;
  FloatBuffer rows_, before_;
};

}  // namespace brasa
