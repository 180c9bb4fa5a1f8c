#include "text/corpus_encoder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "text/id_remap.h"
#include "text/tokenizer.h"

namespace brasa {

namespace {

std::int64_t count_lines(const TextBlock& block, std::size_t begin, std::size_t end) {
  return std::count(block.bytes.get() + begin, block.bytes.get() + end, '\n');
}

}  // namespace

CorpusEncoder::CorpusEncoder(const EncoderOptions& options, Poll poll)
    : options_(options),
      poll_(std::move(poll)),
      queue_(static_cast<std::size_t>(options.threads) + 1),
      store_(options.max_tokens_in_memory, options.spill_file) {
  for (int i = 0; i < options.threads; ++i) {
    counters_.push_back(std::make_unique<BlockCounter>(options.refuse_invalid_utf8));
  }
  try {
    for (int i = 0; i < options.threads; ++i) {
      workers_.emplace_back([this, i] { run_worker(static_cast<std::uint32_t>(i)); });
    }
  } catch (...) {
    close();
    throw;
  }
}

void CorpusEncoder::close() {
  queue_.abandon();
  join_workers();
}

void CorpusEncoder::begin_source(std::string name) { source_names_.push_back(std::move(name)); }

void CorpusEncoder::feed(std::string_view text) {
  if (text.empty()) return;
  const auto source = static_cast<std::uint32_t>(source_names_.size() - 1);
  if (source != source_) {
    if (last_byte_ != '\n') append("\n");
    source_ = source;
    if (pending_) pending_->segments.push_back({pending_->size, source_});
  }
  n_bytes_ += static_cast<std::int64_t>(text.size());
  append(text);
  last_byte_ = text.back();
}

void CorpusEncoder::append(std::string_view text) {
  while (!text.empty()) {
    if (!pending_) {
      pending_ = queue_.new_block();
      pending_->segments = {{0, source_}};
    }
    const std::size_t n = std::min(text.size(), kBlockBytes - pending_->size);
    std::memcpy(pending_->bytes.get() + pending_->size, text.data(), n);
    pending_->size += n;
    text.remove_prefix(n);
    if (pending_->size == kBlockBytes) submit_pending();
  }
}

// Submits the block up to its last white space; the rest begins the next one.
void CorpusEncoder::submit_pending() {
  std::unique_ptr<TextBlock> block = std::move(pending_);
  const char* text = block->bytes.get();
  std::size_t end = block->size;
  while (end > 0 && !is_white_space(text[end - 1])) --end;
  // A block without white space is longer than a token may be: counting it will say so.
  if (end > 0 && end < block->size) {
    pending_ = queue_.new_block();
    pending_->size = block->size - end;
    std::memcpy(pending_->bytes.get(), text + end, pending_->size);
    // A segment begins behind a "\n", so none begins in the rest but, at most, with it.
    pending_->segments = {{0, block->segments.back().source}};
    block->size = end;
    while (block->segments.size() > 1 && block->segments.back().offset >= end) {
      block->segments.pop_back();
    }
  }
  submit(std::move(block));
}

void CorpusEncoder::submit(std::unique_ptr<TextBlock> block) {
  if (failed_) throw_failure();
  block->index = n_blocks_++;
  {
    const std::lock_guard lock(mutex_);
    id_blocks_.resize(n_blocks_);
    lines_.resize(n_blocks_);
  }
  if (!queue_.push(std::move(block), poll_)) throw_failure();
}

void CorpusEncoder::finish(std::int64_t min_count, std::optional<std::int64_t> max_vocab,
                           const WordsView& first) {
  if (pending_ && pending_->size > 0) submit(std::move(pending_));
  queue_.close();
  join_workers();
  if (failed_) throw_failure();
  queue_.release_memory();
  std::vector<WordTable*> tables;
  for (const auto& counter : counters_) tables.push_back(&counter->table());
  vocabulary_ = merge_vocabulary(tables, min_count, max_vocab, first, options_.threads);
  counters_.clear();
}

void CorpusEncoder::write_ids(std::span<std::int32_t> out) {
  const IdWriter write = [out](std::int64_t place, std::span<const std::int32_t> ids) {
    std::copy(ids.begin(), ids.end(), out.begin() + place);
  };
  remap_blocks(id_blocks_, store_, vocabulary_.final_ids, options_.threads, write, poll_);
}

void CorpusEncoder::write_ids_to_file(int file) {
  const IdWriter write = [file](std::int64_t place, std::span<const std::int32_t> ids) {
    write_at(file, std::as_bytes(ids), place * static_cast<std::int64_t>(sizeof(std::int32_t)));
  };
  remap_blocks(id_blocks_, store_, vocabulary_.final_ids, options_.threads, write, poll_);
}

void CorpusEncoder::run_worker(std::uint32_t worker) {
  try {
    while (std::unique_ptr<TextBlock> block = queue_.pop()) {
      process(*block, worker);
      queue_.recycle(std::move(block));
    }
    counters_[worker]->release_scratch();
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      exception_ = std::current_exception();
    }
    failed_ = true;
    queue_.abandon();
  }
}

void CorpusEncoder::process(TextBlock& block, std::uint32_t worker) {
  {
    const std::lock_guard lock(mutex_);
    if (fault_ && fault_->block < block.index) return;
  }
  BlockCounter& counter = *counters_[worker];
  std::optional<TextFault> fault = counter.check(block);
  if (!fault) fault = counter.count(block);
  if (fault) {
    record_fault(block, std::move(*fault));
    return;
  }
  IdBlock ids = store_.store(counter.ids(), worker);
  n_tokens_.fetch_add(static_cast<std::int64_t>(ids.n_tokens), std::memory_order_relaxed);
  const Segment last = block.segments.back();
  const std::int64_t n_lines =
      last.offset == 0 ? counter.n_lines() : count_lines(block, last.offset, block.size);
  const BlockLines lines{block.segments.front().source, last.source, n_lines};
  const std::lock_guard lock(mutex_);
  id_blocks_[block.index] = std::move(ids);
  lines_[block.index] = lines;
}

void CorpusEncoder::record_fault(const TextBlock& block, TextFault fault) {
  auto segment = std::find_if(block.segments.rbegin(), block.segments.rend(),
                              [&](const Segment& s) { return s.offset <= fault.offset; });
  const std::int64_t lines_before = count_lines(block, segment->offset, fault.offset);
  {
    const std::lock_guard lock(mutex_);
    if (!fault_ || block.index < fault_->block) {
      fault_ = Fault{std::move(fault.problem), block.index, segment->source, lines_before,
                     segment == block.segments.rend() - 1};
    }
  }
  failed_ = true;
}

void CorpusEncoder::join_workers() {
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
}

void CorpusEncoder::throw_failure() {
  // Earlier blocks may still be in work, and theirs would be the first fault.
  queue_.close();
  join_workers();
  if (exception_) std::rethrow_exception(exception_);
  const Fault& fault = fault_.value();
  std::int64_t line = 1 + fault.lines_before;
  bool continues = fault.in_first_segment;
  for (std::size_t i = fault.block; continues && i-- > 0;) {
    if (lines_[i].last_source != fault.source) break;
    line += lines_[i].in_last_source;
    continues = lines_[i].first_source == fault.source;
  }
  throw TextError(fault.problem, source_names_[fault.source], line);
}

}  // namespace brasa
