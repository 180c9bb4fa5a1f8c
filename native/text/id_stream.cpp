#include "text/id_stream.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

namespace brasa {

PageBuffer::PageBuffer(std::span<const std::uint32_t> ids) : size_(ids.size()) {
  if (ids.empty()) return;
  void* pages =
      mmap(nullptr, ids.size_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::uint32_t*>(pages);
  std::memcpy(data_, ids.data(), ids.size_bytes());
}

PageBuffer::PageBuffer(PageBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

PageBuffer& PageBuffer::operator=(PageBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

PageBuffer::~PageBuffer() {
  if (data_ != nullptr) munmap(data_, size_ * sizeof(std::uint32_t));
}

void write_at(int file, std::span<const std::byte> bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(file, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw std::system_error(n < 0 ? errno : EIO, std::generic_category());
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += n;
  }
}

void read_at(int file, std::span<std::byte> bytes, std::int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = pread(file, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw std::system_error(n < 0 ? errno : EIO, std::generic_category());
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += n;
  }
}

IdBlock IdStore::store(std::span<const std::uint32_t> ids, std::uint32_t worker) {
  IdBlock block;
  block.n_tokens = ids.size();
  block.worker = worker;
  const auto n_tokens = static_cast<std::int64_t>(ids.size());
  bool in_memory = true;
  {
    const std::lock_guard lock(mutex_);
    in_memory = n_tokens <= memory_left_;
    if (in_memory) {
      memory_left_ -= n_tokens;
    } else {
      block.file_offset = file_size_;
      file_size_ += static_cast<std::int64_t>(ids.size_bytes());
    }
  }
  if (in_memory) {
    block.memory = PageBuffer(ids);
  } else {
    write_at(spill_file_, std::as_bytes(ids), block.file_offset);
  }
  return block;
}

std::span<std::uint32_t> IdStore::load(IdBlock& block, std::vector<std::uint32_t>& scratch) const {
  if (!block.memory.ids().empty()) return block.memory.ids();
  scratch.resize(block.n_tokens);
  read_at(spill_file_, std::as_writable_bytes(std::span(scratch)), block.file_offset);
  return scratch;
}

}  // namespace brasa
