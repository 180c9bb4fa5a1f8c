"""Which words of a text are kept, and their windows."""

from __future__ import annotations

import triton
import triton.language as tl

from brasa.backends.gpu.kernels.draws import bits_at, is_kept, scaled, stream


@triton.jit
def _larger(a, b):
    return tl.maximum(a, b)


@triton.jit
def _smaller(a, b):
    return tl.minimum(a, b)


@triton.jit(do_not_specialize=["first", "seed", "line_end", "window_size"])
def sample_blocks(
    tokens,
    begins,  # int64: where each block begins in `tokens`
    lengths,  # int32
    first,  # number of the first block in all epochs
    seed,
    keep,
    line_end,
    window_size,
    words,  # int32, [block][BLOCK_TOKENS]: the words that are kept
    lefts,  # int16, the same: how many words before each one are its contexts
    rights,
    kept,  # int32, [block]: how many are kept
    BLOCK_TOKENS: tl.constexpr,
    BLOCK: tl.constexpr,  # the next power of two
):
    """Draw the kept words of a block and the window of each; see `reference.sample_block`."""
    item = tl.program_id(0).to(tl.int64)
    t = tl.arange(0, BLOCK)
    begin = tl.load(begins + item)
    inside = t < tl.load(lengths + item)
    word = tl.load(tokens + begin + t, mask=inside, other=0)
    state = stream(seed, first + item)
    probability = tl.load(keep + word, mask=inside, other=0)
    is_in = inside & is_kept(bits_at(state, t), probability)
    counted = is_in.to(tl.int32)
    upto = tl.cumsum(counted, 0)
    place = upto - counted
    n = tl.sum(counted, 0)
    # A line ends with its line end, and begins after that of the line before.
    before = tl.load(tokens + begin + t - 1, mask=inside & (t > 0), other=-1)
    starts = (t > 0) & (before == line_end) & (line_end >= 0)
    ends = inside & (word == line_end)
    line_begin = tl.associative_scan(tl.where(starts, place, 0), 0, _larger)
    line_stop = tl.associative_scan(tl.where(ends, upto, n), 0, _smaller, reverse=True)
    reach = scaled(bits_at(state, BLOCK_TOKENS + place), window_size) + 1
    at = item * BLOCK_TOKENS + place
    left = tl.minimum(reach, place - line_begin)
    right = tl.minimum(reach, line_stop - 1 - place)
    tl.store(words + at, word, mask=is_in)
    tl.store(lefts + at, left.to(tl.int16), mask=is_in)
    tl.store(rights + at, right.to(tl.int16), mask=is_in)
    tl.store(kept + item, n)
