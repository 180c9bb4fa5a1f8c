"""Skip-gram, pair by pair."""

from __future__ import annotations

import triton
import triton.language as tl

from brasa.backends.gpu.kernels.draws import bits_at, from_table, stream
from brasa.backends.gpu.kernels.rows import (
    add_to_rows,
    read_rows,
    rows_of,
    softplus,
    sum_of_rows,
)


@triton.jit(do_not_specialize=["n_items", "first", "total_blocks", "learning_rate", "seed"])
def train_skipgram(
    words,
    lefts,
    rights,
    kept,
    n_items,
    next_item,  # int32: the next block that no program has taken
    first,
    total_blocks,
    learning_rate,
    seed,
    input,
    output,
    row_offsets,
    row_ids,
    accept,
    alias,
    n_words,
    pools,  # int32, [program][POOL + 2 * CENTRES]: scratch
    losses,  # float32, [block]
    pairs,
    DIM: tl.constexpr,
    COLUMNS: tl.constexpr,  # the next power of two
    STRIDE: tl.constexpr,
    BLOCK_TOKENS: tl.constexpr,
    TILE: tl.constexpr,
    CENTRES: tl.constexpr,
    NEGATIVES: tl.constexpr,
    GROUP: tl.constexpr,  # negatives that are trained at once
    POOL: tl.constexpr,
    POOL_LANES: tl.constexpr,
    ROWS: tl.constexpr,
    OWN_ROWS: tl.constexpr,
    LOSS_INTERVAL: tl.constexpr,
):
    """Train blocks pair by pair, CENTRES words side by side.

    See `ReferenceBackend._train_skipgram_tile`, and native/train/tile_skipgram.cpp.
    """
    columns = tl.arange(0, COLUMNS)
    used = columns < DIM
    slots = tl.arange(0, CENTRES)
    pool = pools + tl.program_id(0) * (POOL + 2 * CENTRES)
    bounds = pool + POOL  # begin and end of the rows of each slot's word
    pool_lanes = tl.arange(0, POOL_LANES)
    group_lanes = tl.arange(0, GROUP)
    item = tl.atomic_add(next_item, 1, sem="relaxed")
    while item < n_items:
        n = tl.load(kept + item)
        text = words + item.to(tl.int64) * BLOCK_TOKENS
        left_of = lefts + item.to(tl.int64) * BLOCK_TOKENS
        right_of = rights + item.to(tl.int64) * BLOCK_TOKENS
        state = stream(seed, first + item)
        block_loss = tl.zeros([CENTRES], tl.float32)
        block_pairs = tl.zeros([CENTRES], tl.float32)
        for begin in range(0, n, TILE):
            tile_end = tl.minimum(begin + TILE, n)
            position = (first + item).to(tl.float32) + begin / n
            rate = learning_rate * (1.0 - position / total_blocks)
            looked_at = (begin // TILE) % LOSS_INTERVAL == 0
            # All have read the pool of the tile before, and then all see this one.
            tl.debug_barrier()
            number = 2 * BLOCK_TOKENS + begin // TILE * POOL + pool_lanes
            in_pool = pool_lanes < POOL
            drawn = from_table(bits_at(state, number), accept, alias, n_words, in_pool)
            tl.store(pool + pool_lanes, drawn, mask=in_pool)
            tl.debug_barrier()
            next_negative = 0
            next_centre = begin
            # A slot is open while it has contexts left.
            centre = tl.zeros([CENTRES], tl.int32)
            context = tl.zeros([CENTRES], tl.int32)
            context_end = tl.zeros([CENTRES], tl.int32)
            hidden = tl.zeros([CENTRES, COLUMNS], tl.float32)
            start = tl.zeros([CENTRES, COLUMNS], tl.float32)
            going_on = begin < tile_end
            while going_on:
                n_free = tl.sum((context >= context_end).to(tl.int32), 0)
                while (n_free > 0) & (next_centre < tile_end):
                    left = tl.load(left_of + next_centre).to(tl.int32)
                    right = tl.load(right_of + next_centre).to(tl.int32)
                    if left + right > 0:
                        free = (context >= context_end).to(tl.int32)
                        opened = (free == 1) & (tl.cumsum(free, 0) == 1)
                        word = tl.load(text + next_centre)
                        first_row, last_row = rows_of(word, row_offsets, OWN_ROWS)
                        total = sum_of_rows(
                            input,
                            row_ids,
                            first_row,
                            last_row,
                            columns,
                            used,
                            STRIDE,
                            ROWS,
                            OWN_ROWS,
                        )
                        mean = total / (last_row - first_row).to(tl.float32)
                        # All see them after the barrier below.
                        place = bounds + 2 * tl.sum(tl.where(opened, slots, 0), 0)
                        tl.store(place, first_row)
                        tl.store(place + 1, last_row)
                        hidden = tl.where(opened[:, None], mean[None, :], hidden)
                        start = tl.where(opened[:, None], mean[None, :], start)
                        centre = tl.where(opened, next_centre, centre)
                        # A word is not its own context.
                        begins_at = next_centre - left + tl.where(left == 0, 1, 0)
                        context = tl.where(opened, begins_at, context)
                        context_end = tl.where(opened, next_centre + right + 1, context_end)
                        n_free -= 1
                    next_centre += 1
                is_open = context < context_end
                target = tl.load(text + context, mask=is_open, other=0)
                row, target_rows, mask = read_rows(output, target, is_open, columns, used, STRIDE)
                score = tl.sum(hidden * row, 1)
                gradient = tl.where(is_open, rate * (1.0 - tl.sigmoid(score)), 0.0)
                step = gradient[:, None] * row
                step_loss = softplus(-score)
                for k in range(0, NEGATIVES, GROUP):
                    asked = k + group_lanes < NEGATIVES
                    at = (next_negative + k + group_lanes) % POOL
                    negative = tl.load(pool + at, mask=asked, other=0)
                    n_row, n_rows, n_mask = read_rows(
                        output, negative, asked, columns, used, STRIDE
                    )
                    n_score = tl.sum(n_row[:, None, :] * hidden[None, :, :], 2)
                    both = asked[:, None] & is_open[None, :]
                    n_gradient = tl.where(both, -rate * tl.sigmoid(n_score), 0.0)
                    step += tl.sum(n_gradient[:, :, None] * n_row[:, None, :], 0)
                    moved = tl.sum(n_gradient[:, :, None] * hidden[None, :, :], 1)
                    tl.atomic_add(n_rows, moved, mask=n_mask, sem="relaxed")
                    step_loss += tl.sum(tl.where(both, softplus(n_score), 0.0), 0)
                tl.atomic_add(target_rows, gradient[:, None] * hidden, mask=mask, sem="relaxed")
                hidden += step
                next_negative = (next_negative + NEGATIVES) % POOL
                seen = is_open & looked_at
                block_loss += tl.where(seen, step_loss, 0.0)
                block_pairs += tl.where(seen, 1.0, 0.0)
                context = tl.where(is_open, context + 1, context)
                context = tl.where(is_open & (context == centre), context + 1, context)
                closed = is_open & (context >= context_end)
                if tl.sum(closed.to(tl.int32), 0) > 0:
                    tl.debug_barrier()
                    for c in range(CENTRES):
                        this = closed & (slots == c)
                        if tl.sum(this.to(tl.int32), 0) > 0:
                            first_row = tl.load(bounds + 2 * c)
                            last_row = tl.load(bounds + 2 * c + 1)
                            delta = tl.sum(tl.where(this[:, None], hidden - start, 0.0), 0)
                            add_to_rows(
                                input,
                                row_ids,
                                first_row,
                                last_row,
                                delta,
                                columns,
                                used,
                                STRIDE,
                                ROWS,
                                OWN_ROWS,
                            )
                    tl.debug_barrier()
                n_open = tl.sum((context < context_end).to(tl.int32), 0)
                going_on = (n_open > 0) | (next_centre < tile_end)
        tl.store(losses + item, tl.sum(block_loss, 0))
        tl.store(pairs + item, tl.sum(block_pairs, 0))
        item = tl.atomic_add(next_item, 1, sem="relaxed")
