// Sorting by several threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "parallel/run_parts.h"

namespace brasa {

// As std::sort, on up to `threads` threads: parts are sorted, and merged two by two. `less` must
// not throw.
template <typename T, typename Less>
void sort_by_parts(std::vector<T>& values, int threads, const Less& less) {
  constexpr std::size_t kLeast = 1 << 14;  // a part of fewer is sorted before a thread is awake
  const std::size_t n_parts = std::clamp<std::size_t>(
      values.size() / kLeast, 1, static_cast<std::size_t>(std::max(1, threads)));
  const auto begin_of = [&](std::size_t part) {
    return values.begin() +
           static_cast<std::ptrdiff_t>(values.size() * std::min(part, n_parts) / n_parts);
  };
  run_parts(n_parts,
            [&](std::size_t part) { std::sort(begin_of(part), begin_of(part + 1), less); });
  for (std::size_t width = 1; width < n_parts; width *= 2) {
    run_parts((n_parts + 2 * width - 1) / (2 * width), [&](std::size_t pair) {
      const std::size_t first = 2 * width * pair;
      std::inplace_merge(begin_of(first), begin_of(first + width), begin_of(first + 2 * width),
                         less);
    });
  }
}

}  // namespace brasa
