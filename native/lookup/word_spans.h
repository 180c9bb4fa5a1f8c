// Words of a file, whose offsets may lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace brasa {

// Words as one run of bytes: word i is arena[offsets[i], offsets[i + 1]).
struct WordSpans {
  std::span<const uint8_t> arena;
  std::span<const int64_t> offsets;

  size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  // An empty word where the offsets lie, as those of a broken file may.
  std::string_view word(size_t index) const {
    const int64_t begin = offsets[index], end = offsets[index + 1];
    if (begin < 0 || end < begin || end > static_cast<int64_t>(arena.size())) return {};
    return {reinterpret_cast<const char*>(arena.data()) + begin, static_cast<size_t>(end - begin)};
  }
};

}  // namespace brasa
