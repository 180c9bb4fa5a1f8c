// The provisional numbers of all tokens, block by block: in memory up to a limit, then in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace brasa {

// Memory straight from the system, given back at once when freed: blocks are freed while the final
// ids are written, and malloc would keep their memory for itself.
class PageBuffer {
 public:
  PageBuffer() = default;
  explicit PageBuffer(std::span<const std::uint32_t> ids);
  PageBuffer(PageBuffer&& other) noexcept;
  PageBuffer& operator=(PageBuffer&& other) noexcept;
  ~PageBuffer();

  std::span<std::uint32_t> ids() { return {data_, size_}; }

 private:
  std::uint32_t* data_ = nullptr;
  std::size_t size_ = 0;
};

struct IdBlock {
  PageBuffer memory;             // empty if the block is in the file
  std::int64_t file_offset = 0;  // in bytes
  std::size_t n_tokens = 0;
  std::uint32_t worker = 0;  // whose table gave the numbers
};

// Writes all bytes at an offset; throws std::system_error (disk full, ...).
void write_at(int file, std::span<const std::byte> bytes, std::int64_t offset);
// Reads exactly that many bytes.
void read_at(int file, std::span<std::byte> bytes, std::int64_t offset);

// Decides where a block's numbers are kept. Thread-safe.
class IdStore {
 public:
  // `spill_file` is a descriptor of the caller; -1 keeps everything in memory.
  IdStore(std::int64_t max_tokens_in_memory, int spill_file)
      : memory_left_(max_tokens_in_memory), spill_file_(spill_file) {}

  IdBlock store(std::span<const std::uint32_t> ids, std::uint32_t worker);
  // The numbers of a block; `scratch` holds them if they were in the file.
  std::span<std::uint32_t> load(IdBlock& block, std::vector<std::uint32_t>& scratch) const;

 private:
  std::mutex mutex_;
  std::int64_t memory_left_;
  std::int64_t file_size_ = 0;
  int spill_file_;
};

}  // namespace brasa
