// Text in, vocabulary and ids out, in one pass: worker threads count and number the words of blocks
// while the caller reads the next ones; the numbers become final ids once all words are known.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "text/block_counter.h"
#include "text/block_queue.h"
#include "text/id_stream.h"
#include "text/text_block.h"
#include "text/text_error.h"
#include "text/vocabulary_merge.h"

namespace brasa {

struct EncoderOptions {
  int threads = 1;
  bool refuse_invalid_utf8 = false;
  std::int64_t max_tokens_in_memory = 256'000'000;
  int spill_file = -1;  // for the numbers of the tokens beyond those
};

// All is called by one thread. Each call throws TextError for text that cannot be used (for its
// first such place, whatever thread met which), std::system_error for a full disk, and what `poll`
// throws. After an error only the destructor may follow; it joins the workers.
class CorpusEncoder {
 public:
  CorpusEncoder(const EncoderOptions& options, Poll poll);
  ~CorpusEncoder() { close(); }
  CorpusEncoder(const CorpusEncoder&) = delete;
  CorpusEncoder& operator=(const CorpusEncoder&) = delete;

  // The text that follows is of this source. A missing "\n" between two sources is supplied.
  void begin_source(std::string name);
  // Takes a copy of a piece of text; pieces need not end at white space.
  void feed(std::string_view text);
  // No text follows: joins what the workers counted. See merge_vocabulary for `first`.
  void finish(std::int64_t min_count, std::optional<std::int64_t> max_vocab,
              const WordsView& first = {});

  // Then one of these, once: the ids of the kept words in text order, n_kept_tokens of them.
  void write_ids(std::span<std::int32_t> out);
  void write_ids_to_file(int file);

  std::int64_t n_bytes() const { return n_bytes_; }
  // Tokens counted until now; other threads are at it.
  std::int64_t n_tokens() const { return n_tokens_.load(std::memory_order_relaxed); }
  // After `finish`; all but final_ids and n_kept_tokens may be moved out.
  MergedVocabulary& vocabulary() { return vocabulary_; }
  // Stops and joins the workers; the encoder is of no use afterwards.
  void close();

 private:
  // What is needed of a counted block to tell the line of a fault in a later one.
  struct BlockLines {
    std::uint32_t first_source = 0;
    std::uint32_t last_source = 0;
    std::int64_t in_last_source = 0;
  };
  struct Fault {
    std::string problem;
    std::size_t block;
    std::uint32_t source;
    std::int64_t lines_before;  // of that source, in that block
    bool in_first_segment;      // so that the source may have begun in an earlier block
  };

  void append(std::string_view text);
  void submit_pending();
  void submit(std::unique_ptr<TextBlock> block);
  void run_worker(std::uint32_t worker);
  void process(TextBlock& block, std::uint32_t worker);
  void record_fault(const TextBlock& block, TextFault fault);
  void join_workers();
  [[noreturn]] void throw_failure();

  EncoderOptions options_;
  Poll poll_;
  BlockQueue queue_;
  IdStore store_;
  std::vector<std::unique_ptr<BlockCounter>> counters_;
  std::vector<std::thread> workers_;
  std::vector<std::string> source_names_;
  std::unique_ptr<TextBlock> pending_;
  std::uint32_t source_ = 0;  // of the text being fed
  char last_byte_ = '\n';
  std::size_t n_blocks_ = 0;
  std::int64_t n_bytes_ = 0;
  std::atomic<std::int64_t> n_tokens_{0};
  MergedVocabulary vocabulary_;

  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // guards what follows
  std::vector<IdBlock> id_blocks_;
  std::vector<BlockLines> lines_;
  std::optional<Fault> fault_;    // the first in the text
  std::exception_ptr exception_;  // of a worker: disk full, out of memory
};

}  // namespace brasa
