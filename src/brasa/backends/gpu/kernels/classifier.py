"""Text classifiers, text by text."""

from __future__ import annotations

import triton
import triton.language as tl

from brasa.backends.gpu.kernels.draws import from_table, last_bits, next_state, scaled, stream
from brasa.backends.gpu.kernels.rows import add_to_rows, read_rows, softplus, sum_of_rows


@triton.jit(do_not_specialize=["n_items", "first", "period", "all_items", "learning_rate", "seed"])
def train_classifier(
    order,
    block_offsets,
    block_order,  # int32, [step]
    step_items,  # int64, [step]: the learning rate's clock
    period,  # steps after which the blocks come in the same order again
    all_items,
    n_items,
    next_item,
    first,
    learning_rate,
    seed,
    text_items,  # int32, [text]: what each text moves the clock by
    row_offsets,
    row_ids,
    label_offsets,
    label_ids,
    text_weights,
    label_weights,
    accept,
    alias,
    input,
    output,
    n_labels,
    scores,  # float32, [program][n_labels]: scratch
    losses,
    texts,
    DIM: tl.constexpr,
    COLUMNS: tl.constexpr,
    STRIDE: tl.constexpr,
    LOSS: tl.constexpr,  # "softmax", "ova" or "ns"
    NEGATIVES: tl.constexpr,
    WEIGHTED_TEXTS: tl.constexpr,
    WEIGHTED_LABELS: tl.constexpr,
    ROWS: tl.constexpr,
    LABELS: tl.constexpr,  # output rows that are read at once
    LOSS_INTERVAL: tl.constexpr,
    MAX_REDRAWS: tl.constexpr,
):
    """Train blocks of texts; see `ReferenceClassifierBackend`."""
    columns = tl.arange(0, COLUMNS)
    used = columns < DIM
    label_lanes = tl.arange(0, LABELS)
    kept_scores = scores + tl.program_id(0).to(tl.int64) * n_labels
    item = tl.atomic_add(next_item, 1, sem="relaxed")
    while item < n_items:
        index = first + item
        block = tl.load(block_order + index % period)
        done = tl.load(step_items + period) * (index // period)
        done += tl.load(step_items + index % period)
        state = stream(seed, index)
        block_loss = 0.0
        block_texts = 0.0
        begin = tl.load(block_offsets + block)
        for place in range(begin, tl.load(block_offsets + block + 1)):
            text = tl.load(order + place).to(tl.int64)
            passed = done.to(tl.float32) / all_items
            rate = learning_rate * (1.0 - passed)
            if WEIGHTED_TEXTS:
                rate *= tl.load(text_weights + text)
            first_row = tl.load(row_offsets + text)
            last_row = tl.load(row_offsets + text + 1)
            n_rows = (last_row - first_row).to(tl.float32)
            hidden = sum_of_rows(
                input, row_ids, first_row, last_row, columns, used, STRIDE, ROWS, False
            )
            hidden = hidden / n_rows
            step = tl.zeros_like(hidden)
            loss = 0.0
            first_label = tl.load(label_offsets + text)
            last_label = tl.load(label_offsets + text + 1)
            if LOSS == "ova":
                for k in range(0, n_labels, LABELS):
                    label = k + label_lanes
                    asked = label < n_labels
                    wanted = tl.zeros([LABELS], tl.float32)
                    for at in range(first_label, last_label):
                        own = tl.load(label_ids + at)
                        wanted = tl.where(label == own, 1.0, wanted)
                    row, rows, mask = read_rows(output, label, asked, columns, used, STRIDE)
                    score = tl.sum(row * hidden[None, :], 1)
                    gradient = rate * (wanted - tl.sigmoid(score))
                    if WEIGHTED_LABELS:
                        weight = tl.load(label_weights + label, mask=asked, other=1.0)
                        gradient = tl.where(wanted > 0, gradient * weight, gradient)
                    gradient = tl.where(asked, gradient, 0.0)
                    step += tl.sum(gradient[:, None] * row, 0)
                    moved = gradient[:, None] * hidden[None, :]
                    tl.atomic_add(rows, moved, mask=mask, sem="relaxed")
                    score = tl.where(wanted > 0, -score, score)
                    loss += tl.sum(tl.where(asked, softplus(score), 0.0), 0)
            else:
                n_own = (last_label - first_label).to(tl.int32)
                which = 0
                if n_own > 1:
                    state = next_state(state)
                    which = scaled(last_bits(state), n_own)
                target = tl.load(label_ids + first_label + which)
                if WEIGHTED_LABELS:
                    rate *= tl.load(label_weights + target)
                if LOSS == "softmax":
                    # log sum exp of the scores, with their largest so far taken out.
                    largest = float("-inf")
                    total = 0.0
                    for k in range(0, n_labels, LABELS):
                        label = k + label_lanes
                        asked = label < n_labels
                        row, rows, mask = read_rows(output, label, asked, columns, used, STRIDE)
                        score = tl.sum(row * hidden[None, :], 1)
                        tl.store(kept_scores + label, score, mask=asked)
                        score = tl.where(asked, score, float("-inf"))
                        higher = tl.maximum(largest, tl.max(score, 0))
                        total = total * tl.exp(largest - higher)
                        total += tl.sum(tl.exp(score - higher), 0)
                        largest = higher
                    log_sum = largest + tl.log(total)
                    tl.debug_barrier()
                    loss = log_sum - tl.load(kept_scores + target)
                    for k in range(0, n_labels, LABELS):
                        label = k + label_lanes
                        asked = label < n_labels
                        row, rows, mask = read_rows(output, label, asked, columns, used, STRIDE)
                        score = tl.load(kept_scores + label, mask=asked, other=float("-inf"))
                        wanted = tl.where(label == target, 1.0, 0.0)
                        gradient = rate * (wanted - tl.exp(score - log_sum))
                        step += tl.sum(gradient[:, None] * row, 0)
                        moved = gradient[:, None] * hidden[None, :]
                        tl.atomic_add(rows, moved, mask=mask, sem="relaxed")
                    tl.debug_barrier()
                else:
                    for k in range(NEGATIVES + 1):
                        drawn = target
                        n_drawn = tl.where(k == 0, MAX_REDRAWS, 0)
                        while (drawn == target) & (n_drawn < MAX_REDRAWS):
                            state = next_state(state)
                            drawn = from_table(last_bits(state), accept, alias, n_labels, True)
                            n_drawn += 1
                        wanted = tl.where(k == 0, 1.0, 0.0)
                        if (k == 0) | (drawn != target):
                            rows = output + drawn.to(tl.int64) * STRIDE + columns
                            row = tl.load(rows, mask=used, other=0.0, cache_modifier=".cg")
                            score = tl.sum(row * hidden, 0)
                            gradient = rate * (wanted - tl.sigmoid(score))
                            step += gradient * row
                            tl.atomic_add(rows, gradient * hidden, mask=used, sem="relaxed")
                            loss += softplus(tl.where(k == 0, -score, score))
            add_to_rows(
                input,
                row_ids,
                first_row,
                last_row,
                step / n_rows,
                columns,
                used,
                STRIDE,
                ROWS,
                False,
            )
            if (place - begin) % LOSS_INTERVAL == 0:
                block_loss += loss
                block_texts += 1.0
            done += tl.load(text_items + text)
        tl.store(losses + item, block_loss)
        tl.store(texts + item, block_texts)
        item = tl.atomic_add(next_item, 1, sem="relaxed")
