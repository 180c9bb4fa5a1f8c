"""Continuous bag of words, a tile of words at once."""

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
def train_cbow(
    words,
    lefts,
    rights,
    kept,
    n_items,
    next_item,
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
    sums,  # float32, [program][RING][COLUMNS]: scratch, the sum of the rows of the word at a place
    steps,  # the same: by what each of these rows will move
    losses,
    pairs,
    window_size,
    weight,  # negative_samples / shared_negatives
    DIM: tl.constexpr,
    COLUMNS: tl.constexpr,
    STRIDE: tl.constexpr,
    BLOCK_TOKENS: tl.constexpr,
    TILE: tl.constexpr,
    LANES: tl.constexpr,  # TILE, at least 16
    POOL: tl.constexpr,
    GROUP: tl.constexpr,  # negatives, or places of the text, in one matrix product
    RING: tl.constexpr,  # at least TILE + 2 * window_size
    ROWS: tl.constexpr,
    OWN_ROWS: tl.constexpr,
    LOSS_INTERVAL: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Train blocks, a tile of words at once, by matrix products.

    See `ReferenceBackend._train_cbow_tile`, and native/train/tile_cbow.cpp.
    """
    columns = tl.arange(0, COLUMNS)
    used = columns < DIM
    lanes = tl.arange(0, LANES)
    group_lanes = tl.arange(0, GROUP)
    ring = tl.program_id(0).to(tl.int64) * RING * COLUMNS
    item = tl.atomic_add(next_item, 1, sem="relaxed")
    while item < n_items:
        n = tl.load(kept + item)
        text = words + item.to(tl.int64) * BLOCK_TOKENS
        left_of = lefts + item.to(tl.int64) * BLOCK_TOKENS
        right_of = rights + item.to(tl.int64) * BLOCK_TOKENS
        state = stream(seed, first + item)
        block_loss = tl.zeros([LANES], tl.float32)
        block_pairs = tl.zeros([LANES], tl.float32)
        # Places before `loaded` are summed, those before `stored` have moved their rows.
        loaded = 0
        stored = 0
        for begin in range(0, n, TILE):
            end = tl.minimum(begin + TILE, n)
            position = (first + item).to(tl.float32) + begin / n
            rate = learning_rate * (1.0 - position / total_blocks)
            looked_at = (begin // TILE) % LOSS_INTERVAL == 0
            ahead = tl.minimum(end + window_size, n)
            for place in range(loaded, ahead):
                first_row, last_row = rows_of(tl.load(text + place), row_offsets, OWN_ROWS)
                total = sum_of_rows(
                    input, row_ids, first_row, last_row, columns, used, STRIDE, ROWS, OWN_ROWS
                )
                at = ring + (place % RING) * COLUMNS + columns
                tl.store(sums + at, total)
                tl.store(steps + at, tl.zeros_like(total))
            loaded = ahead
            tl.debug_barrier()
            centre = begin + lanes
            is_in = centre < end
            left = tl.load(left_of + centre, mask=is_in, other=0).to(tl.int32)
            right = tl.load(right_of + centre, mask=is_in, other=0).to(tl.int32)
            active = left + right > 0
            # The mean of the rows of all contexts.
            hidden = tl.zeros([LANES, COLUMNS], tl.float32)
            n_rows = tl.zeros([LANES], tl.float32)
            from_place = tl.maximum(begin - window_size, 0)
            for k in range(from_place, ahead, GROUP):
                places = k + group_lanes
                held = places < ahead
                spots = ring + (places % RING)[:, None] * COLUMNS + columns[None, :]
                row_sum = tl.load(sums + spots, mask=held[:, None], other=0.0)
                place_word = tl.load(text + places, mask=held, other=0)
                row_begins, row_ends = rows_of(place_word, row_offsets, OWN_ROWS)
                count = (row_ends - row_begins).to(tl.float32)
                distance = places[None, :] - centre[:, None]
                sees = (distance >= -left[:, None]) & (distance <= right[:, None])
                sees = (sees & (distance != 0) & held[None, :]).to(tl.float32)
                hidden = tl.dot(sees, row_sum, hidden, input_precision=PRECISION)
                n_rows += tl.sum(sees * count[None, :], 1)
            hidden = hidden / tl.maximum(n_rows, 1.0)[:, None]
            target = tl.load(text + centre, mask=active, other=0)
            row, target_rows, mask = read_rows(output, target, active, columns, used, STRIDE)
            score = tl.sum(hidden * row, 1)
            gradient = tl.where(active, rate * (1.0 - tl.sigmoid(score)), 0.0)
            step = gradient[:, None] * row
            tile_loss = softplus(-score)
            for k in range(0, POOL, GROUP):
                asked = k + group_lanes < POOL
                number = 2 * BLOCK_TOKENS + begin // TILE * POOL + k + group_lanes
                drawn = from_table(bits_at(state, number), accept, alias, n_words, asked)
                negative, negative_rows, n_mask = read_rows(
                    output, drawn, asked, columns, used, STRIDE
                )
                n_score = tl.dot(hidden, tl.trans(negative), input_precision=PRECISION)
                both = active[:, None] & asked[None, :]
                n_gradient = tl.where(both, -rate * weight * tl.sigmoid(n_score), 0.0)
                step = tl.dot(n_gradient, negative, step, input_precision=PRECISION)
                moved = tl.dot(tl.trans(n_gradient), hidden, input_precision=PRECISION)
                tl.atomic_add(negative_rows, moved, mask=n_mask, sem="relaxed")
                tile_loss += tl.sum(tl.where(both, weight * softplus(n_score), 0.0), 1)
            tl.atomic_add(target_rows, gradient[:, None] * hidden, mask=mask, sem="relaxed")
            seen = active & looked_at
            block_loss += tl.where(seen, tile_loss, 0.0)
            block_pairs += tl.where(seen, 1.0, 0.0)
            # Each place moves by the steps of the centres that see it.
            for k in range(from_place, ahead, GROUP):
                places = k + group_lanes
                held = places < ahead
                place_word = tl.load(text + places, mask=held, other=0)
                row_begins, row_ends = rows_of(place_word, row_offsets, OWN_ROWS)
                count = (row_ends - row_begins).to(tl.float32)
                apart = places[:, None] - centre[None, :]
                seen_by = (apart >= -left[None, :]) & (apart <= right[None, :])
                seen_by = (seen_by & (apart != 0) & active[None, :]).to(tl.float32)
                place_step = tl.dot(seen_by, step, input_precision=PRECISION)
                spots = ring + (places % RING)[:, None] * COLUMNS + columns[None, :]
                held_before = tl.load(steps + spots, mask=held[:, None], other=0.0)
                tl.store(steps + spots, held_before + place_step, mask=held[:, None])
                held_before = tl.load(sums + spots, mask=held[:, None], other=0.0)
                tl.store(
                    sums + spots, held_before + count[:, None] * place_step, mask=held[:, None]
                )
            tl.debug_barrier()
            # What no later centre sees.
            last = tl.where(end == n, ahead, tl.maximum(end - window_size, 0))
            for place in range(stored, last):
                first_row, last_row = rows_of(tl.load(text + place), row_offsets, OWN_ROWS)
                at = ring + (place % RING) * COLUMNS + columns
                add_to_rows(
                    input,
                    row_ids,
                    first_row,
                    last_row,
                    tl.load(steps + at),
                    columns,
                    used,
                    STRIDE,
                    ROWS,
                    OWN_ROWS,
                )
            stored = last
            tl.debug_barrier()
        tl.store(losses + item, tl.sum(block_loss, 0))
        tl.store(pairs + item, tl.sum(block_pairs, 0))
        item = tl.atomic_add(next_item, 1, sem="relaxed")
