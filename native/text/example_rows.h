// The input rows of a labeled line, found from its items each time that it is trained on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/examples.h"

namespace brasa {

// What `build_examples` found; the owner keeps the arrays. For items see text/examples.h.
struct ExampleTables {
  std::span<const std::int64_t> item_offsets;  // n_lines + 1, into items
  std::span<const std::int32_t> items;
  std::span<const std::int64_t> unit_offsets;  // empty: all items are rows
  std::span<const std::int32_t> unit_rows;
  std::size_t n_words = 0;
};

inline ExampleTables tables_of(const Examples& found, std::size_t n_words) {
  return {.item_offsets = found.item_offsets,
          .items = {found.items.get(), static_cast<std::size_t>(found.item_offsets.back())},
          .unit_offsets = found.units.offsets,
          .unit_rows = {found.units.rows.get(), found.units.n_rows()},
          .n_words = n_words};
}

// The rows of a line. One for each thread: its memory is used again for the next line.
class LineRows {
 public:
  std::size_t size() const { return size_; }
  const std::int32_t* data() const { return rows_.data(); }
  const std::int32_t* begin() const { return data(); }
  const std::int32_t* end() const { return data() + size_; }

 private:
  friend class ExampleRows;

  std::vector<std::int32_t> rows_;  // as many as the longest line has
  std::size_t size_ = 0;
};

class ExampleRows {
 public:
  explicit ExampleRows(const ExampleTables& tables) : tables_(tables) {}

  std::size_t n_lines() const { return tables_.item_offsets.size() - 1; }
  std::size_t n_items(std::int32_t line) const { return items_of(line).size(); }
  // Gives a line's rows, one for each feature.
  void list(std::int32_t line, LineRows& found) const;
  // Asks for what `list` will read, in two steps: the places of the units' rows, and then these. A
  // unit that is not in the cache would take two waits.
  void ask_for_units(std::int32_t line) const;
  void ask_for_unit_rows(std::int32_t line) const;

 private:
  std::span<const std::int32_t> items_of(std::int32_t line) const {
    return slice(tables_.item_offsets, tables_.items, static_cast<std::size_t>(line));
  }
  bool is_unit(std::int32_t item) const {
    return item < 0 || static_cast<std::size_t>(item) < tables_.n_words;
  }
  std::span<const std::int32_t> unit(std::int32_t item) const {
    return slice(tables_.unit_offsets, tables_.unit_rows, unit_of_item(item, tables_.n_words));
  }
  static std::span<const std::int32_t> slice(std::span<const std::int64_t> offsets,
                                             std::span<const std::int32_t> values, std::size_t i) {
    return values.subspan(static_cast<std::size_t>(offsets[i]),
                          static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
  }

  ExampleTables tables_;
};

}  // namespace brasa
