#include "text/id_remap.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace brasa {

namespace {

// Replaces the numbers in place and closes the gaps of dropped words.
std::span<const std::int32_t> remap(std::span<std::uint32_t> numbers,
                                    std::span<const std::int32_t> final_ids) {
  auto* out = reinterpret_cast<std::int32_t*>(numbers.data());
  std::size_t n = 0;
  for (const std::uint32_t number : numbers) {
    const std::int32_t id = final_ids[number];
    out[n] = id;
    n += id >= 0 ? 1 : 0;  // no branch: which words were dropped cannot be predicted
  }
  return {out, n};
}

class Remapping {
 public:
  Remapping(std::span<IdBlock> blocks, const IdStore& store,
            const std::vector<std::vector<std::int32_t>>& final_ids, const IdWriter& write)
      : blocks_(blocks), store_(store), final_ids_(final_ids), write_(write) {}

  void run(int threads, const Poll& poll) {
    std::vector<std::thread> workers;
    n_running_ = threads;
    try {
      for (int i = 0; i < threads; ++i) workers.emplace_back([this] { work(); });
      wait(poll);
    } catch (...) {
      stop(std::current_exception());
    }
    for (std::thread& worker : workers) worker.join();
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  void wait(const Poll& poll) {
    poll();  // the workers of a short text may be done before the first wait
    std::unique_lock lock(mutex_);
    while (n_running_ > 0) {
      if (exception_) return;
      changed_.wait_for(lock, std::chrono::milliseconds(50));
      lock.unlock();
      poll();
      lock.lock();
    }
  }

  void work() {
    try {
      std::vector<std::uint32_t> scratch;
      while (!stopped_) {
        const std::size_t index = next_++;
        if (index >= blocks_.size()) break;
        IdBlock& block = blocks_[index];
        const auto ids = remap(store_.load(block, scratch), final_ids_[block.worker]);
        const std::int64_t place = claim_place(index, ids.size());
        if (stopped_) break;
        write_(place, ids);
        block.memory = PageBuffer();
      }
    } catch (...) {
      stop(std::current_exception());
    }
    const std::lock_guard lock(mutex_);
    --n_running_;
    changed_.notify_all();
  }

  // Where this block's ids go: behind those of all blocks before it. Waits for their numbers, not
  // for their writing.
  std::int64_t claim_place(std::size_t index, std::size_t n_ids) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return n_placed_ == index || stopped_; });
    ++n_placed_;
    changed_.notify_all();
    return std::exchange(place_, place_ + static_cast<std::int64_t>(n_ids));
  }

  void stop(std::exception_ptr exception) {
    const std::lock_guard lock(mutex_);
    if (!exception_) exception_ = std::move(exception);
    stopped_ = true;
    changed_.notify_all();
  }

  std::span<IdBlock> blocks_;
  const IdStore& store_;
  const std::vector<std::vector<std::int32_t>>& final_ids_;
  const IdWriter& write_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  int n_running_ = 0;
  std::size_t n_placed_ = 0;
  std::int64_t place_ = 0;
  std::exception_ptr exception_;
};

}  // namespace

void remap_blocks(std::span<IdBlock> blocks, const IdStore& store,
                  const std::vector<std::vector<std::int32_t>>& final_ids, int threads,
                  const IdWriter& write, const Poll& poll) {
  Remapping(blocks, store, final_ids, write).run(threads, poll);
}

}  // namespace brasa
