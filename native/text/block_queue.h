// Bounded hand-over of text blocks from the reading thread to the workers.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "text/text_block.h"

namespace brasa {

// Called often by a thread that waits; may throw to stop the work (Ctrl-C).
using Poll = std::function<void()>;

class BlockQueue {
 public:
  explicit BlockQueue(std::size_t capacity) : capacity_(capacity) {}

  // Waits while the queue is full. Gives false, and drops the block, once the queue was abandoned.
  bool push(std::unique_ptr<TextBlock> block, const Poll& poll);
  // Waits for a block; null when none will follow.
  std::unique_ptr<TextBlock> pop();
  // No block will be pushed: `pop` gives what is there, then null.
  void close();
  // Drops what is there, too: nobody is interested any more.
  void abandon();

  // An empty block, a used one if there is one.
  std::unique_ptr<TextBlock> new_block();
  void recycle(std::unique_ptr<TextBlock> block);
  void release_memory();

 private:
  std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::deque<std::unique_ptr<TextBlock>> blocks_;
  std::vector<std::unique_ptr<TextBlock>> used_;
  bool closed_ = false;
};

}  // namespace brasa
