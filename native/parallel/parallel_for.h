#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace brasa {

// Asked for once: it is a system call.
inline size_t n_cores() {
  static const size_t n = std::max(1U, std::thread::hardware_concurrency());
  return n;
}

// Calls work(begin, end) for consecutive parts of [0, count), each on a thread of its own; parts
// have at least `grain` items. The first exception of a part is thrown again here.
template <typename Work>
void parallel_for(size_t count, size_t grain, const Work& work) {
  const size_t n_parts = std::clamp<size_t>(count / std::max<size_t>(1, grain), 1, n_cores());
  if (n_parts == 1) {
    work(0, count);
    return;
  }
  std::vector<std::exception_ptr> errors(n_parts);
  const auto run = [&](size_t part) {
    try {
      work(count * part / n_parts, count * (part + 1) / n_parts);
    } catch (...) {
      errors[part] = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (size_t part = 1; part < n_parts; ++part) {
    try {
      threads.emplace_back(run, part);
    } catch (const std::system_error&) {  // no thread to be had
      run(part);
    }
  }
  run(0);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace brasa
