// The kernels of each instruction set, for dispatch.cpp: nullptr when the build or the processor
// lacks it.
#pragma once

#include "simd/kernels.h"

namespace brasa {

const Kernels* avx512_kernels();
const Kernels* avx2_kernels();
const Kernels* neon_kernels();
const Kernels* scalar_kernels();

}  // namespace brasa
