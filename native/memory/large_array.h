// Arrays of many megabytes that are read here and there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace brasa {

// From this size on huge pages are asked for, as NumPy does.
inline constexpr size_t kLargeBytes = size_t{1} << 22;

// Asks for huge pages, before the bytes are first touched. With pages of 4 KB, a place that is not
// in the cache is not in the processor's table of pages either, which is another wait.
inline void advise_huge_pages([[maybe_unused]] void* data, [[maybe_unused]] size_t n_bytes) {
#ifdef __linux__
  if (n_bytes < kLargeBytes) return;
  constexpr uintptr_t kPage = 4096;
  const auto begin = (reinterpret_cast<uintptr_t>(data) + kPage - 1) / kPage * kPage;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + n_bytes) / kPage * kPage;
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // refused: nothing changes
#endif
}

// Numbers that are still to be written.
template <typename T>
  requires std::is_trivial_v<T>
std::unique_ptr<T[]> make_large(size_t n) {
  auto numbers = std::make_unique_for_overwrite<T[]>(n);
  advise_huge_pages(numbers.get(), n * sizeof(T));
  return numbers;
}

}  // namespace brasa
