"""Reading and moving the rows of a matrix."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return tl.maximum(x, 0.0) + tl.log(1.0 + tl.exp(-tl.abs(x)))


@triton.jit
def addresses(matrix, rows, columns, STRIDE: tl.constexpr):
    """Pointers to the columns of rows, shape (n_rows, n_columns)."""
    return matrix + rows.to(tl.int64)[:, None] * STRIDE + columns[None, :]


@triton.jit
def read_rows(matrix, rows, wanted, columns, used, STRIDE: tl.constexpr):
    """Numbers of the rows that are wanted, others zero; their pointers; the mask of both."""
    mask = wanted[:, None] & used[None, :]
    place = addresses(matrix, rows, columns, STRIDE)
    return tl.load(place, mask=mask, other=0.0, cache_modifier=".cg"), place, mask


@triton.jit
def rows_at(row_ids, at, end, OWN_ROWS: tl.constexpr):
    """Entries of a table of rows; if each word has one row, its own, there is no table."""
    return at if OWN_ROWS else tl.load(row_ids + at, mask=at < end, other=0)


@triton.jit
def rows_of(word, row_offsets, OWN_ROWS: tl.constexpr):
    """Begin and end of a word's entries in the table of rows."""
    if OWN_ROWS:
        begin = word
        end = word + 1
    else:
        begin = tl.load(row_offsets + word).to(tl.int32)
        end = tl.load(row_offsets + word + 1).to(tl.int32)
    return begin, end


@triton.jit
def sum_of_rows(
    matrix,
    row_ids,
    begin,
    end,
    columns,
    used,
    STRIDE: tl.constexpr,
    ROWS: tl.constexpr,
    OWN_ROWS: tl.constexpr,
):
    """Sum of the rows ``row_ids[begin:end]``, read ROWS at a time, shape (n_columns,)."""
    total = tl.zeros_like(columns).to(tl.float32)
    for k in range(begin, end, ROWS):
        at = k + tl.arange(0, ROWS)
        rows = rows_at(row_ids, at, end, OWN_ROWS)
        row, _, _ = read_rows(matrix, rows, at < end, columns, used, STRIDE)
        total += tl.sum(row, 0)
    return total


@triton.jit
def add_to_rows(
    matrix,
    row_ids,
    begin,
    end,
    step,
    columns,
    used,
    STRIDE: tl.constexpr,
    ROWS: tl.constexpr,
    OWN_ROWS: tl.constexpr,
):
    """Move each of the rows by `step`; one that is listed twice moves twice."""
    for k in range(begin, end, ROWS):
        at = k + tl.arange(0, ROWS)
        rows = rows_at(row_ids, at, end, OWN_ROWS)
        mask = (at < end)[:, None] & used[None, :]
        place = addresses(matrix, rows, columns, STRIDE)
        moved = tl.broadcast_to(step[None, :], (ROWS, step.shape[0]))
        tl.atomic_add(place, moved, mask=mask, sem="relaxed")
