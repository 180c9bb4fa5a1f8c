// An exponential for loops: without branches and calls, so that they vectorize.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace brasa {

// e^x for x <= 0, to 2e-7; below -87 nearly 0; NaN stays NaN.
inline float exponential(float x) {
  constexpr float kLog2OfE = 1.44269504F, kRounder = 12582912.0F;  // 1.5 * 2^23
  const float t = std::max(-126.0F, x * kLog2OfE);                 // also where x is NaN
  const float whole = (t + kRounder) - kRounder;
  const float part = t - whole;
  float power = 1.5403530e-4F;  // 2^part by its Taylor series
  for (const float c :
       {1.3333558e-3F, 9.6181291e-3F, 5.5504109e-2F, 2.4022651e-1F, 6.9314718e-1F, 1.0F}) {
    power = power * part + c;
  }
  return power * std::bit_cast<float>((static_cast<int32_t>(whole) + 127) << 23) + (x - x);
}

}  // namespace brasa
