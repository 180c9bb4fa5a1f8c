// Plain C++: for processors without one of the instruction sets, and to test the others against.
#include <cmath>

#include "simd/kernels_impl.h"
#include "simd/kernels_table.h"

namespace brasa {
namespace {

struct Scalar {
  struct Register {
    float lane[4];
  };
  static constexpr size_t kWidth = 4;
  static constexpr size_t kRowBlock = 4;
  static constexpr size_t kColumnBlock = 2;
  static constexpr size_t kPairColumns = 1;

  template <typename F>
  static Register each(F&& f) {
    return {{f(0), f(1), f(2), f(3)}};
  }
  static Register zero() { return broadcast(0.0f); }
  static Register broadcast(float x) {
    return each([&](int) { return x; });
  }
  static Register load(const float* p) {
    return each([&](int i) { return p[i]; });
  }
  static Register load_unaligned(const float* p) { return load(p); }
  static Register load_first(const float* p, size_t n) { return load_first_plain<Scalar>(p, n); }
  static void store(float* p, Register x) {
    for (size_t i = 0; i < kWidth; ++i) p[i] = x.lane[i];
  }
  static uint32_t count_bits(uint64_t x) { return brasa::count_bits(x); }
  static Register add(Register a, Register b) {
    return each([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Register subtract(Register a, Register b) {
    return each([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  static Register multiply(Register a, Register b) {
    return each([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static Register fma(Register a, Register b, Register c) {
    return each([&](int i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
  }
  static float sum(Register x) { return (x.lane[0] + x.lane[1]) + (x.lane[2] + x.lane[3]); }
  static void sum_each(const std::array<Register, 8>& x, float* out) {
    for (size_t k = 0; k < 8; ++k) out[k] = sum(x[k]);
  }

  static Register sigmoid(Register x) {
    return each([&](int i) { return 1.0f / (1.0f + std::exp(-x.lane[i])); });
  }
  static void transpose(const float* block, size_t stride, float* out) {
    transpose_plain(block, stride, out);
  }
};

constexpr Kernels kTable = KernelsFor<Scalar>::table("scalar");

}  // namespace

const Kernels* scalar_kernels() { return &kTable; }

}  // namespace brasa
