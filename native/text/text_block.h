// A piece of text that one thread works on, cut at white space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "text/word_key.h"

namespace brasa {

// Longer tokens are refused: they are not words, and a file without white space is not text.
inline constexpr std::size_t kMaxTokenBytes = 1 << 20;

// Large enough to hide the cost of handing blocks over, and larger than any token.
inline constexpr std::size_t kBlockBytes = 2 * kMaxTokenBytes;

// Where the text of a source (a file) starts in a block.
struct Segment {
  std::size_t offset;
  std::uint32_t source;
};

struct TextBlock {
  TextBlock() : bytes(std::make_unique_for_overwrite<char[]>(kBlockBytes + kTextPadding)) {}

  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;
  std::size_t index = 0;          // place in the text
  std::vector<Segment> segments;  // at least one
};

}  // namespace brasa
