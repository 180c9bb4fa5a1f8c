// Work in parts, on threads that wait for it.
#pragma once

#include <cstddef>
#include <functional>

namespace brasa {

// Calls run(part) for every part of [0, n_parts) and returns when all are done. `run` must not
// throw. The caller runs part 0, and then all that no thread has begun: it never waits for a thread
// to be had, and calls may be nested and come from several threads at once.
//
// The other threads, one less than there are cores, are started when first needed and kept: to
// start and end one took 0.14 ms of the 0.9 that a batch of 872 short texts took.
void run_parts(size_t n_parts, const std::function<void(size_t)>& run);

}  // namespace brasa
