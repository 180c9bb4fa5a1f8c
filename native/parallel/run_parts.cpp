#include "parallel/run_parts.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "parallel/cores.h"

namespace brasa {
namespace {

struct Job {
  const std::function<void(size_t)>& run;
  size_t n_parts;
  size_t n_begun = 0;
  size_t n_done = 0;
};

class ThreadPool {
 public:
  void work_on(Job& job) {
    std::unique_lock lock(mutex_);
    jobs_.push_back(&job);
    const size_t n_helpers = std::min(job.n_parts, n_cores()) - 1;
    start_threads(n_helpers);
    for (size_t i = 0; i < n_helpers; ++i) wake_.notify_one();
    while (job.n_begun < job.n_parts) run_next(job, lock);
    done_.wait(lock, [&] { return job.n_done == job.n_parts; });
  }

 private:
  void start_threads(size_t n) {
    // The program's signals are for its own threads. New threads have the mask of their maker.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; n_threads_ < n; ++n_threads_) std::thread([this] { serve(); }).detach();
    } catch (const std::exception&) {  // no thread or no memory to be had: callers do it all
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return !jobs_.empty(); });
      run_next(*jobs_.front(), lock);
    }
  }

  // Runs a part without the lock. The job may be gone afterwards, unless it is the caller's own.
  void run_next(Job& job, std::unique_lock<std::mutex>& lock) {
    const size_t part = job.n_begun++;
    if (job.n_begun == job.n_parts) std::erase(jobs_, &job);
    lock.unlock();
    job.run(part);
    lock.lock();
    if (++job.n_done == job.n_parts) done_.notify_all();
  }

  std::mutex mutex_;  // guards all that follows, and the jobs
  std::condition_variable wake_, done_;
  std::vector<Job*> jobs_;  // with parts that nobody has begun
  size_t n_threads_ = 0;
};

std::atomic<ThreadPool*> current{nullptr};

// A forked process has none of the threads, and one of them may have held the lock.
[[maybe_unused]] const int kAtFork =
    pthread_atfork(nullptr, nullptr, [] { current.store(nullptr); });

// Never destroyed: its threads wait until the process ends.
ThreadPool& pool() {
  ThreadPool* found = current.load();
  if (found == nullptr) {
    auto made = std::make_unique<ThreadPool>();
    if (current.compare_exchange_strong(found, made.get())) found = made.release();
  }
  return *found;
}

}  // namespace

void run_parts(size_t n_parts, const std::function<void(size_t)>& run) {
  if (n_parts == 1) return run(0);
  if (n_parts == 0) return;
  Job job{run, n_parts};
  pool().work_on(job);
}

}  // namespace brasa
