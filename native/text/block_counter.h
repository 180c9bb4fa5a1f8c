// Turns a block of text into numbers of words, counting them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "text/line_end.h"
#include "text/text_block.h"
#include "text/word_table.h"

namespace brasa {

struct TextFault {
  std::string problem;
  std::size_t offset;  // in the block
};

// One per thread. Numbers are those of this counter's table.
class BlockCounter {
 public:
  explicit BlockCounter(bool refuse_invalid_utf8);

  // Looks for what cannot be counted; must be called before `count`. Fills the block's padding.
  std::optional<TextFault> check(TextBlock& block) const;
  // Counts the block's tokens; their numbers are valid until the next call. A token that is too
  // long is a fault.
  std::optional<TextFault> count(const TextBlock& block);

  std::span<const std::uint32_t> ids() const { return {ids_.get(), n_ids_}; }
  // "\n" in the block last counted.
  std::int64_t n_lines() const { return n_lines_; }
  WordTable& table() { return table_; }
  void release_scratch() { ids_.reset(); }

 private:
  bool refuse_invalid_utf8_;
  WordTable table_;
  std::unique_ptr<std::uint32_t[]> ids_;
  std::size_t n_ids_ = 0;
  std::int64_t n_lines_ = 0;
};

}  // namespace brasa
