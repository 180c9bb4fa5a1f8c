#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "parallel/parallel_for.h"
#include "parallel/pieces.h"
#include "parallel/run_parts.h"
#include "parallel/sort.h"

namespace brasa {
namespace {

void check_covered_once(size_t count) {
  std::vector<int> seen(count);
  parallel_for(count, 3, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) ++seen[i];
  });
  CHECK_EQ(seen, std::vector<int>(count, 1));
}

TEST_CASE("parts cover everything once, and errors come through") {
  for (const size_t count : {0UL, 1UL, 7UL, 1000UL}) check_covered_once(count);
  CHECK_THROWS_AS(parallel_for(1000, 1, [](size_t, size_t) { throw std::runtime_error("part"); }),
                  std::runtime_error);
}

TEST_CASE("more parts than cores are each run once, the first by the caller") {
  constexpr size_t kParts = 1000;
  std::vector<std::atomic<int>> runs(kParts);
  std::thread::id first;
  run_parts(kParts, [&](size_t part) {
    if (part == 0) first = std::this_thread::get_id();
    ++runs[part];
  });
  CHECK(first == std::this_thread::get_id());
  for (const std::atomic<int>& n : runs) CHECK_EQ(n.load(), 1);
  run_parts(0, [](size_t) { FAIL("there is no part"); });
}

TEST_CASE("parts within parts, from several threads at once") {
  constexpr int kCallers = 8, kCalls = 200;
  std::atomic<int> runs{0};
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&] {
        for (int call = 0; call < kCalls; ++call) {
          run_parts(3, [&](size_t) { run_parts(2, [&](size_t) { ++runs; }); });
        }
      });
    }
  }
  CHECK_EQ(runs.load(), kCallers * kCalls * 6);
}

TEST_CASE("pieces cover everything once") {
  constexpr size_t kItems = 100'000;
  for (const int threads : {1, 2, 16}) {
    std::vector<int> seen(kItems);
    for_each_piece(kItems, threads, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) ++seen[i];
    });
    CHECK_EQ(seen, std::vector<int>(kItems, 1));
  }
}

TEST_CASE("the threads leave the signals to the program") {
  std::atomic<bool> blocks_all{true};
  std::atomic<int> n_begun{0};
  const auto caller = std::this_thread::get_id();
  run_parts(2, [&](size_t) {
    // Each waits for the other, so that two threads have a part; with one core there is but one.
    ++n_begun;
    while (n_begun.load() < 2 && n_cores() > 1) std::this_thread::yield();
    if (std::this_thread::get_id() == caller) return;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    if (sigismember(&blocked, SIGINT) != 1 || sigismember(&blocked, SIGTERM) != 1) {
      blocks_all = false;
    }
  });
  CHECK(blocks_all.load());
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  CHECK_EQ(sigismember(&own, SIGINT), 0);
}

TEST_CASE("a forked process has threads of its own") {
  check_covered_once(1000);  // so that there are some to be without
  std::atomic<bool> ends{false};
  std::jthread busy([&] {  // so that the lock may be held while the process is forked
    while (!ends) run_parts(2, [](size_t) {});
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    REQUIRE_NE(child, -1);
    if (child == 0) {
      alarm(20);  // ends it if it hangs
      std::atomic<size_t> n{0};
      run_parts(64, [&](size_t) { ++n; });
      _exit(n == 64 ? 0 : 1);
    }
    int status = -1;
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
  }
  ends = true;
}

TEST_CASE("sort_by_parts: as std::sort, for any number of threads and of values") {
  for (const size_t n : {size_t{0}, size_t{1}, size_t{16'383}, size_t{100'000}, size_t{131'073}}) {
    std::vector<uint32_t> values(n);
    uint32_t x = 1;
    for (uint32_t& value : values) value = (x = x * 1664525 + 1013904223) >> 12;
    std::vector<uint32_t> expected = values;
    std::ranges::sort(expected, std::greater());
    for (const int threads : {1, 2, 3, 5, 8}) {
      std::vector<uint32_t> sorted = values;
      sort_by_parts(sorted, threads, std::greater());
      CHECK(sorted == expected);
    }
  }
}

}  // namespace
}  // namespace brasa
