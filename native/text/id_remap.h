// Turns the provisional numbers of all blocks into the final ids, in text order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "text/block_queue.h"
#include "text/id_stream.h"

namespace brasa {

// Receives ids for a place in the stream; called by several threads at once.
using IdWriter = std::function<void(std::int64_t place, std::span<const std::int32_t> ids)>;

// `final_ids[worker][number]` is the id, -1 for a dropped word, whose tokens are left out. Blocks
// are freed as they are done, so memory falls by what `write` fills. Throws what `write` and `poll`
// throw.
void remap_blocks(std::span<IdBlock> blocks, const IdStore& store,
                  const std::vector<std::vector<std::int32_t>>& final_ids, int threads,
                  const IdWriter& write, const Poll& poll);

}  // namespace brasa
