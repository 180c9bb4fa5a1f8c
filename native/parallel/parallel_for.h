#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <functional>
#include <vector>

#include "parallel/cores.h"
#include "parallel/run_parts.h"

namespace brasa {

// Calls work(begin, end) for consecutive parts of [0, count), on as many threads as there are cores
// at most; parts have at least `grain` items. The first exception of a part is thrown again here.
template <typename Work>
void parallel_for(size_t count, size_t grain, const Work& work) {
  const size_t n_parts = std::clamp<size_t>(count / std::max<size_t>(1, grain), 1, n_cores());
  std::vector<std::exception_ptr> errors(n_parts);
  const auto run = [&](size_t part) {
    try {
      work(count * part / n_parts, count * (part + 1) / n_parts);
    } catch (...) {
      errors[part] = std::current_exception();
    }
  };
  run_parts(n_parts, std::ref(run));
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace brasa
