#include "simd/kernels_table.h"

#if defined(__AVX512F__)
#include <immintrin.h>

#include "simd/kernels_impl.h"

namespace brasa {
namespace {

struct Avx512 {
  using Register = __m512;
  static constexpr size_t kWidth = 16;
  static constexpr size_t kRowBlock = 8;
  static constexpr size_t kColumnBlock = 3;  // 8 x 3 sums + 3 sources + 1 factor of 32 registers
  static constexpr size_t kPairColumns = 3;  // 4 x 3 hidden, 4 x 3 moved, 2 x 3 of a row

  static Register zero() { return _mm512_setzero_ps(); }
  static Register broadcast(float x) { return _mm512_set1_ps(x); }
  static Register load(const float* p) { return _mm512_load_ps(p); }
  static Register load_unaligned(const float* p) { return _mm512_loadu_ps(p); }
  static Register load_first(const float* p, size_t n) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1), p);
  }
  static void store(float* p, Register x) { _mm512_store_ps(p, x); }
  static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  static Register subtract(Register a, Register b) { return _mm512_sub_ps(a, b); }
  static Register multiply(Register a, Register b) { return _mm512_mul_ps(a, b); }
  static Register fma(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
  static uint32_t count_bits(uint64_t x) { return static_cast<uint32_t>(__builtin_popcountll(x)); }

  static float sum(Register x) { return _mm512_reduce_add_ps(x); }

  // out[k] = sum of the lanes of x[k]. Zeros follow, so that a whole register is stored: a load of
  // one would wait for a shorter store to reach the cache.
  static void sum_each(const std::array<Register, 8>& x, float* out) {
    // Each 128 bits of pairs(a, b) hold two sums of two numbers of a and two of b, alternating;
    // each 128 bits of quads of two such hold a sum of four numbers of each of the four.
    const auto pairs = [](Register a, Register b) {
      return _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    };
    const auto quads = [](Register a, Register b) {
      const __m512d left = _mm512_castps_pd(a), right = _mm512_castps_pd(b);
      return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(left, right)),
                           _mm512_castpd_ps(_mm512_unpackhi_pd(left, right)));
    };
    const Register low = quads(pairs(x[0], x[1]), pairs(x[2], x[3]));
    const Register high = quads(pairs(x[4], x[5]), pairs(x[6], x[7]));
    const Register two =
        _mm512_add_ps(_mm512_shuffle_f32x4(low, high, 0x44), _mm512_shuffle_f32x4(low, high, 0xee));
    const __m256 a = _mm512_castps512_ps256(two), b = _mm512_extractf32x8_ps(two, 1);
    const __m256 sums =
        _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
    _mm512_storeu_ps(out, _mm512_zextps256_ps512(sums));
  }

  static Register sigmoid(Register x) {
    // The constants stand first: min and max return their second operand when one is NaN.
    x = _mm512_max_ps(broadcast(-kSigmoidRange), _mm512_min_ps(broadcast(kSigmoidRange), x));
    const Register t = multiply(x, broadcast(-kLog2E));
    const Register whole = _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const Register part = _mm512_sub_ps(t, whole);
    Register power = broadcast(kExp2Coefficients[0]);
    for (size_t c = 1; c < kExp2Coefficients.size(); ++c) {
      power = fma(power, part, broadcast(kExp2Coefficients[c]));
    }
    const Register one = broadcast(1.0f);
    return _mm512_div_ps(one, add(one, _mm512_scalef_ps(power, whole)));
  }

  static void transpose(const float* block, size_t stride, float* out) {
    std::array<Register, 16> r, t;
    for (size_t i = 0; i < 16; ++i) r[i] = _mm512_load_ps(block + i * stride);
    for (size_t i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
      t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    const auto join = [](Register a, Register b, bool high) {
      const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
      return _mm512_castpd_ps(high ? _mm512_unpackhi_pd(x, y) : _mm512_unpacklo_pd(x, y));
    };
    // r[4 q + c] now holds column c of each 128-bit lane for the rows 4 q .. 4 q + 3.
    for (size_t q = 0; q < 4; ++q) {
      r[4 * q + 0] = join(t[4 * q], t[4 * q + 2], false);
      r[4 * q + 1] = join(t[4 * q], t[4 * q + 2], true);
      r[4 * q + 2] = join(t[4 * q + 1], t[4 * q + 3], false);
      r[4 * q + 3] = join(t[4 * q + 1], t[4 * q + 3], true);
    }
    for (size_t c = 0; c < 4; ++c) {
      const Register a = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88);       // lanes 0 2 of q 0, 1
      const Register b = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xdd);       // lanes 1 3
      const Register d = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);  // of q 2, 3
      const Register e = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xdd);
      _mm512_store_ps(out + (0 + c) * kLanes, _mm512_shuffle_f32x4(a, d, 0x88));
      _mm512_store_ps(out + (4 + c) * kLanes, _mm512_shuffle_f32x4(b, e, 0x88));
      _mm512_store_ps(out + (8 + c) * kLanes, _mm512_shuffle_f32x4(a, d, 0xdd));
      _mm512_store_ps(out + (12 + c) * kLanes, _mm512_shuffle_f32x4(b, e, 0xdd));
    }
  }
};

constexpr Kernels kTable = KernelsFor<Avx512>::table("avx512");

}  // namespace

const Kernels* avx512_kernels() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                 __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                 __builtin_cpu_supports("fma")
             ? &kTable
             : nullptr;
}

}  // namespace brasa
#else
namespace brasa {
const Kernels* avx512_kernels() { return nullptr; }
}  // namespace brasa
#endif
