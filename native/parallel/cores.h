#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>

namespace brasa {

// Asked for once: it is a system call.
inline size_t n_cores() {
  static const size_t n = std::max(1U, std::thread::hardware_concurrency());
  return n;
}

}  // namespace brasa
