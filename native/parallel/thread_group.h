// Threads that help the one that started them.
#pragma once

#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace brasa {

// Runs `work` on up to `n` threads besides the caller's, until it goes out of scope. Where the
// system grants fewer (a limit on processes or on memory), the work must be such that the others do
// it all.
class ThreadGroup {
 public:
  template <typename Work>
  ThreadGroup(uint64_t n, const Work& work) {
    threads_.reserve(n);
    try {
      while (threads_.size() < n) threads_.emplace_back(work);
    } catch (const std::system_error&) {  // unnoticed, it would end the process
    }
  }

 private:
  std::vector<std::jthread> threads_;
};

}  // namespace brasa
