#include "text/block_queue.h"

#include <chrono>
#include <utility>

namespace brasa {

namespace {

constexpr std::chrono::milliseconds kPollInterval(50);

}  // namespace

bool BlockQueue::push(std::unique_ptr<TextBlock> block, const Poll& poll) {
  {
    std::unique_lock lock(mutex_);
    while (!closed_ && blocks_.size() >= capacity_) {
      if (not_full_.wait_for(lock, kPollInterval) == std::cv_status::timeout) {
        lock.unlock();
        poll();
        lock.lock();
      }
    }
    if (closed_) return false;
    blocks_.push_back(std::move(block));
  }
  not_empty_.notify_one();
  return true;
}

std::unique_ptr<TextBlock> BlockQueue::pop() {
  std::unique_ptr<TextBlock> block;
  {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return closed_ || !blocks_.empty(); });
    if (blocks_.empty()) return nullptr;
    block = std::move(blocks_.front());
    blocks_.pop_front();
  }
  not_full_.notify_one();
  return block;
}

void BlockQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  not_empty_.notify_all();
  not_full_.notify_all();
}

void BlockQueue::abandon() {
  {
    const std::lock_guard lock(mutex_);
    blocks_.clear();
  }
  close();
}

std::unique_ptr<TextBlock> BlockQueue::new_block() {
  {
    const std::lock_guard lock(mutex_);
    if (!used_.empty()) {
      std::unique_ptr<TextBlock> block = std::move(used_.back());
      used_.pop_back();
      return block;
    }
  }
  return std::make_unique<TextBlock>();
}

void BlockQueue::recycle(std::unique_ptr<TextBlock> block) {
  block->size = 0;
  block->segments.clear();
  const std::lock_guard lock(mutex_);
  used_.push_back(std::move(block));
}

void BlockQueue::release_memory() {
  const std::lock_guard lock(mutex_);
  used_.clear();
}

}  // namespace brasa
