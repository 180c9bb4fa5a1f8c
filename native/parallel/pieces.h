// A range of numbers divided among threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace brasa {

// Calls work(begin, end) for pieces of [0, n) on several threads. `work` must not throw.
inline void for_each_piece(std::size_t n, int threads,
                           const std::function<void(std::size_t, std::size_t)>& work) {
  constexpr std::size_t kPiece = 1024;
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t begin = next.fetch_add(kPiece); begin < n; begin = next.fetch_add(kPiece)) {
      work(begin, std::min(begin + kPiece, n));
    }
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < threads && static_cast<std::size_t>(i) * kPiece < n; ++i) {
    others.emplace_back(run);
  }
  run();
}

}  // namespace brasa
