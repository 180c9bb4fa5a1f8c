#include "simd/kernels_table.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "simd/kernels_impl.h"

namespace brasa {
namespace {

struct Neon {
  using Register = float32x4_t;
  static constexpr size_t kWidth = 4;
  static constexpr size_t kRowBlock = 8;
  static constexpr size_t kColumnBlock = 2;  // 8 x 2 sums + 2 sources + 1 factor of 32 registers
  static constexpr size_t kPairColumns = 2;  // 4 x 2 hidden, 4 x 2 moved, 2 x 2 of a row

  static Register zero() { return vdupq_n_f32(0.0f); }
  static Register broadcast(float x) { return vdupq_n_f32(x); }
  static Register load(const float* p) { return vld1q_f32(p); }
  static Register load_unaligned(const float* p) { return load(p); }
  static Register load_first(const float* p, size_t n) { return load_first_plain<Neon>(p, n); }
  static void store(float* p, Register x) { vst1q_f32(p, x); }
  static Register add(Register a, Register b) { return vaddq_f32(a, b); }
  static Register subtract(Register a, Register b) { return vsubq_f32(a, b); }
  static Register multiply(Register a, Register b) { return vmulq_f32(a, b); }
  static Register fma(Register a, Register b, Register c) { return vfmaq_f32(c, a, b); }
  static uint32_t count_bits(uint64_t x) { return static_cast<uint32_t>(__builtin_popcountll(x)); }

  static float sum(Register x) { return vaddvq_f32(x); }

  static void sum_each(const std::array<Register, 8>& x, float* out) {
    for (size_t k = 0; k < 8; ++k) out[k] = sum(x[k]);
  }

  static Register sigmoid(Register x) {
    // FMIN and FMAX return NaN when an operand is NaN.
    x = vmaxq_f32(broadcast(-kSigmoidRange), vminq_f32(broadcast(kSigmoidRange), x));
    const Register t = multiply(x, broadcast(-kLog2E));
    const Register whole = vrndnq_f32(t);
    const Register part = vsubq_f32(t, whole);
    Register power = broadcast(kExp2Coefficients[0]);
    for (size_t c = 1; c < kExp2Coefficients.size(); ++c) {
      power = fma(power, part, broadcast(kExp2Coefficients[c]));
    }
    const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(whole), vdupq_n_s32(127));
    const Register scale = vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23));
    const Register one = broadcast(1.0f);
    return vdivq_f32(one, fma(power, scale, one));
  }

  static void transpose(const float* block, size_t stride, float* out) {
    transpose_plain(block, stride, out);
  }
};

constexpr Kernels kTable = KernelsFor<Neon>::table("neon");

}  // namespace

const Kernels* neon_kernels() { return &kTable; }

}  // namespace brasa
#else
namespace brasa {
const Kernels* neon_kernels() { return nullptr; }
}  // namespace brasa
#endif
