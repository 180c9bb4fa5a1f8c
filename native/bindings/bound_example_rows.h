// `ExampleRows` as Python holds it.
#pragma once

#include "arrays.h"
#include "text/example_rows.h"

namespace brasa {

// Keeps the arrays alive that `rows` views.
struct BoundExampleRows {
  Vector<const int64_t> item_offsets, unit_offsets;
  Vector<const int32_t> items, unit_rows;
  size_t n_rows;  // rows are below this
  ExampleRows rows;
};

}  // namespace brasa
