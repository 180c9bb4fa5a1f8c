#include "simd/kernels_table.h"

namespace brasa {

const Kernels* find_kernels(std::string_view name) {
  // Fastest first. The processor is asked once: a static local is initialized on first use.
  static const Kernels* const all[] = {avx512_kernels(), avx2_kernels(), neon_kernels(),
                                       scalar_kernels()};
  for (const Kernels* kernels : all) {
    if (kernels != nullptr && (name == "auto" || name == kernels->name)) return kernels;
  }
  return nullptr;
}

}  // namespace brasa
