#include "simd/kernels_table.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#include "simd/kernels_impl.h"

namespace brasa {
namespace {

struct Avx2 {
  using Register = __m256;
  static constexpr size_t kWidth = 8;
  static constexpr size_t kRowBlock = 4;
  static constexpr size_t kColumnBlock = 2;  // 4 x 2 sums + 2 sources + 1 factor of 16 registers
  static constexpr size_t kPairColumns = 1;  // 4 hidden, 4 moved, 2 of a row

  static Register zero() { return _mm256_setzero_ps(); }
  static Register broadcast(float x) { return _mm256_set1_ps(x); }
  static Register load(const float* p) { return _mm256_load_ps(p); }
  static Register load_unaligned(const float* p) { return _mm256_loadu_ps(p); }
  static Register load_first(const float* p, size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
  }
  static void store(float* p, Register x) { _mm256_store_ps(p, x); }
  static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  static Register subtract(Register a, Register b) { return _mm256_sub_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm256_mul_ps(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }

  static float sum(Register x) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }

  static uint32_t count_bits(uint64_t x) { return static_cast<uint32_t>(__builtin_popcountll(x)); }

  static void sum_each(const std::array<Register, 8>& x, float* out) {
    for (size_t k = 0; k < 8; ++k) out[k] = sum(x[k]);
  }

  static Register sigmoid(Register x) {
    // The constants stand first: min and max return their second operand when one is NaN.
    x = _mm256_max_ps(broadcast(-kSigmoidRange), _mm256_min_ps(broadcast(kSigmoidRange), x));
    const Register t = multiply(x, broadcast(-kLog2E));
    const Register whole = _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const Register part = _mm256_sub_ps(t, whole);
    Register power = broadcast(kExp2Coefficients[0]);
    for (size_t c = 1; c < kExp2Coefficients.size(); ++c) {
      power = fma(power, part, broadcast(kExp2Coefficients[c]));
    }
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(whole), _mm256_set1_epi32(127));
    const Register scale = _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
    const Register one = broadcast(1.0f);
    return _mm256_div_ps(one, fma(power, scale, one));
  }

  static void transpose(const float* block, size_t stride, float* out) {
    transpose_plain(block, stride, out);
  }
};

constexpr Kernels kTable = KernelsFor<Avx2>::table("avx2");

}  // namespace

const Kernels* avx2_kernels() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kTable : nullptr;
}

}  // namespace brasa
#else
namespace brasa {
const Kernels* avx2_kernels() { return nullptr; }
}  // namespace brasa
#endif
