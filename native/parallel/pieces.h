// A range of numbers divided among threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "parallel/run_parts.h"

namespace brasa {

// Calls work(begin, end) for pieces of [0, n) on up to `threads` threads, which take them in turn.
// `work` must not throw.
inline void for_each_piece(std::size_t n, int threads,
                           const std::function<void(std::size_t, std::size_t)>& work) {
  constexpr std::size_t kPiece = 1024;
  std::atomic<std::size_t> next{0};
  const auto run = [&](std::size_t) {
    for (std::size_t begin = next.fetch_add(kPiece); begin < n; begin = next.fetch_add(kPiece)) {
      work(begin, std::min(begin + kPiece, n));
    }
  };
  const std::size_t n_pieces = n / kPiece + 1;
  run_parts(std::min(n_pieces, static_cast<std::size_t>(std::max(1, threads))), run);
}

}  // namespace brasa
