"""What quality costs when many programs train at once, emulated on the CPU.

    python benchmarks/gpu_staleness.py CORPUS [--programs 1 256 1024] [--subwords] [--seeds 1]
    python benchmarks/gpu_staleness.py --texts TRAIN TEST [--programs 1 64 512] [hyperparameters]

A GPU runs hundreds of programs beside each other, each of which adds to rows that the others have
read. Here they go in lockstep: in every step each program reads what it needs for one step of
`brasa.backends.gpu`, skip-gram's pairs or a classifier's text, and when all have read, all add.
That is the most that programs of one speed can miss of each other. From this follow the bounds in
`brasa/backends/gpu/concurrency.py`. Quality is that of benchmarks/compare.py, or accuracy.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
from compare import ROOT, quality

from brasa import TextClassifier
from brasa.backends import OnHost, SpanResult
from brasa.backends.gpu.concurrency import moves_of_the_hottest_row
from brasa.classifier_plan import ClassifierPlan
from brasa.classifier_training import train_classifier
from brasa.config import TextClassifierConfig, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan
from brasa.training import train

CENTRES = 4
Numbers = np.ndarray


@numba.njit(cache=True)
def _sample(tokens, keep, line_end, window, seed, words, left, right):
    """Kept words of a block and their windows; how many there are."""
    np.random.seed(seed)
    n = first = 0
    for t in range(len(tokens) + 1):
        ends = t == len(tokens)
        if not ends:
            word = tokens[t]
            if np.random.random() < keep[word]:
                words[n] = word
                n += 1
            ends = word == line_end
        if ends:
            for i in range(first, n):
                reach = np.random.randint(1, window + 1)
                left[i] = min(reach, i - first)
                right[i] = min(reach, n - 1 - i)
            first = n
    return n


@numba.njit(fastmath=True, cache=True)
def _sigmoid(x):
    return np.float32(1) / (np.float32(1) + np.exp(-x))


@numba.njit(fastmath=True, parallel=True, cache=True)
def _apply(matrix, rows, deltas, n_rows):
    """Add to rows, half of the columns each for two threads."""
    dim = matrix.shape[1]
    half = (dim + 1) // 2
    for part in numba.prange(2):
        a, b = part * half, min(dim, (part + 1) * half)
        for r in range(n_rows):
            row = rows[r]
            if row >= 0:
                for d in range(a, b):
                    matrix[row, d] += deltas[r, d]


@numba.njit(fastmath=True, parallel=True, cache=True)
def _read_and_step(
    n_programs, words, slots, hidden, start, tile, pool, rates, offsets, row_ids, input, output,
    tile_size, negatives, out_rows, out_deltas, closing
):  # fmt: skip
    """One step of each program, with nothing added yet."""
    dim = input.shape[1]
    for p in numba.prange(n_programs):
        tile_end = tile[p, 1]
        for c in range(CENTRES):
            while slots[p, c, 1] >= slots[p, c, 2] and tile[p, 2] < tile_end:
                i = tile[p, 2]
                tile[p, 2] += 1
                left, right = words[p, i, 1], words[p, i, 2]
                if left + right == 0:
                    continue
                slots[p, c, 0] = i
                slots[p, c, 1] = i - left + (1 if left == 0 else 0)
                slots[p, c, 2] = i + right + 1
                w = words[p, i, 0]
                start[p, c, :] = 0
                for k in range(offsets[w], offsets[w + 1]):
                    for d in range(dim):
                        start[p, c, d] += input[row_ids[k], d]
                n = np.float32(offsets[w + 1] - offsets[w])
                for d in range(dim):
                    start[p, c, d] /= n
                    hidden[p, c, d] = start[p, c, d]
        base = p * (CENTRES + negatives)
        for k in range(CENTRES + negatives):
            out_rows[base + k] = -1
            out_deltas[base + k, :] = 0
        rate = rates[p]
        step = np.zeros((CENTRES, dim), np.float32)
        any_open = False
        for c in range(CENTRES):
            closing[p, c] = 0
            if slots[p, c, 1] < slots[p, c, 2]:
                any_open = True
                t = words[p, slots[p, c, 1], 0]
                s = np.float32(0)
                for d in range(dim):
                    s += hidden[p, c, d] * output[t, d]
                g = rate * (np.float32(1) - _sigmoid(s))
                out_rows[base + c] = t
                for d in range(dim):
                    step[c, d] += g * output[t, d]
                    out_deltas[base + c, d] = g * hidden[p, c, d]
        if not any_open:
            continue
        for k in range(negatives):
            row = pool[p, (tile[p, 3] + k) % pool.shape[1]]
            out_rows[base + CENTRES + k] = row
            for c in range(CENTRES):
                if slots[p, c, 1] < slots[p, c, 2]:
                    s = np.float32(0)
                    for d in range(dim):
                        s += hidden[p, c, d] * output[row, d]
                    g = -rate * _sigmoid(s)
                    for d in range(dim):
                        step[c, d] += g * output[row, d]
                        out_deltas[base + CENTRES + k, d] += g * hidden[p, c, d]
        tile[p, 3] = (tile[p, 3] + negatives) % pool.shape[1]
        for c in range(CENTRES):
            if slots[p, c, 1] < slots[p, c, 2]:
                for d in range(dim):
                    hidden[p, c, d] += step[c, d]
                slots[p, c, 1] += 1
                if slots[p, c, 1] == slots[p, c, 0]:
                    slots[p, c, 1] += 1
                if slots[p, c, 1] >= slots[p, c, 2]:
                    closing[p, c] = 1


@numba.njit(fastmath=True, cache=True)
def _train_words(
    tokens, keep, line_end, window, seed, n_programs, blocks, block_tokens, total, rate, offsets,
    row_ids, accept, alias, pool_size, tile_size, negatives, input, output, max_rows
):  # fmt: skip
    dim = input.shape[1]
    words = np.zeros((n_programs, block_tokens, 3), np.int32)
    slots = np.zeros((n_programs, CENTRES, 3), np.int32)
    hidden = np.zeros((n_programs, CENTRES, dim), np.float32)
    start = np.zeros((n_programs, CENTRES, dim), np.float32)
    tile = np.zeros((n_programs, 4), np.int32)  # begin, end, next centre, next negative
    kept = np.zeros(n_programs, np.int32)
    block = np.full(n_programs, -1, np.int64)
    pool = np.zeros((n_programs, pool_size), np.int32)
    rates = np.zeros(n_programs, np.float32)
    out_rows = np.zeros(n_programs * (CENTRES + negatives), np.int32)
    out_deltas = np.zeros((n_programs * (CENTRES + negatives), dim), np.float32)
    in_rows = np.zeros(n_programs * CENTRES * max_rows, np.int32)
    in_deltas = np.zeros((n_programs * CENTRES * max_rows, dim), np.float32)
    closing = np.zeros((n_programs, CENTRES), np.int32)
    w = np.zeros(block_tokens, np.int32)
    left = np.zeros(block_tokens, np.int32)
    right = np.zeros(block_tokens, np.int32)
    taken = working = 0
    n_slots = len(accept)
    while True:
        working = 0
        for p in range(n_programs):
            is_open = False
            for c in range(CENTRES):
                is_open = is_open or slots[p, c, 1] < slots[p, c, 2]
            if is_open or tile[p, 2] < tile[p, 1]:
                working += 1
                continue
            tile[p, 0] = tile[p, 1]
            while tile[p, 0] >= kept[p] and taken < len(blocks):
                begin = blocks[taken] * block_tokens
                block[p] = taken
                taken += 1
                kept[p] = _sample(
                    tokens[begin : begin + block_tokens], keep, line_end, window,
                    seed * 1000003 + block[p], w, left, right
                )  # fmt: skip
                words[p, :, 0], words[p, :, 1], words[p, :, 2] = w, left, right
                tile[p, 0] = 0
            if tile[p, 0] >= kept[p]:
                continue
            working += 1
            tile[p, 1] = min(tile[p, 0] + tile_size, kept[p])
            tile[p, 2] = tile[p, 0]
            tile[p, 3] = 0
            for k in range(pool_size):
                slot = np.random.randint(0, n_slots)
                drawn = np.random.random() < accept[slot]
                pool[p, k] = slot if drawn else alias[slot]
            rates[p] = rate * (1 - (block[p] + tile[p, 0] / kept[p]) / total)
        if working == 0:
            return
        _read_and_step(
            n_programs, words, slots, hidden, start, tile, pool, rates, offsets, row_ids, input,
            output, tile_size, negatives, out_rows, out_deltas, closing
        )  # fmt: skip
        _apply(output, out_rows, out_deltas, len(out_rows))
        n = 0
        for p in range(n_programs):
            for c in range(CENTRES):
                if closing[p, c]:
                    word = words[p, slots[p, c, 0], 0]
                    for k in range(offsets[word], offsets[word + 1]):
                        in_rows[n] = row_ids[k]
                        for d in range(dim):
                            in_deltas[n, d] = hidden[p, c, d] - start[p, c, d]
                        n += 1
        _apply(input, in_rows, in_deltas, n)


class _Emulation(OnHost):
    """A backend with everything in one span."""

    programs = 1

    def __init__(self, plan: Any, parameters: Parameters, threads: int) -> None:
        self._plan, self._parameters, self.done = plan, parameters, 0


class WordsInLockstep(_Emulation):
    """Skip-gram by `programs` programs."""

    def train(self, first: int, last: int) -> SpanResult:
        """Train all blocks."""
        plan: TrainingPlan = self._plan
        config = plan.config
        lengths = np.diff(plan.subwords.offsets)
        times = moves_of_the_hottest_row(plan)
        print(f"a pair moves the hottest row {times:.5f} times", flush=True)
        _train_words(
            np.asarray(plan.tokens), plan.keep / 2.0**32 * (1 + 1e-9), plan.line_end,
            config.window_size, config.seed + 1, self.programs,
            np.concatenate([plan.blocks_of(first, plan.total_blocks)]), plan.block_tokens,
            plan.total_blocks, config.learning_rate, plan.subwords.offsets, plan.subwords.rows,
            plan.accept / 2.0**32, plan.alias, plan.shared_negatives, plan.tile_size,
            config.negative_samples, self._parameters.input, self._parameters.output,
            int(lengths.max()),
        )  # fmt: skip
        self.done = plan.total_blocks
        return SpanResult(0.0, 0.0, True)


@numba.njit(fastmath=True, cache=True, error_model="numpy")
def _train_texts(order, programs, epochs, rate, offsets, rows, targets, input, output):
    dim, n_labels, n = input.shape[1], output.shape[0], len(order)
    hidden = np.zeros((programs, dim), np.float32)
    gradient = np.zeros((programs, n_labels), np.float32)
    step = np.zeros((programs, dim), np.float32)
    for epoch in range(epochs):
        for begin in range(0, n, programs):
            m = min(programs, n - begin)
            for p in range(m):
                t = order[begin + p]
                r = np.float32(rate * (1 - (epoch * n + begin + p) / (n * epochs)))
                hidden[p, :] = 0
                for k in range(offsets[t], offsets[t + 1]):
                    for d in range(dim):
                        hidden[p, d] += input[rows[k], d]
                count = np.float32(offsets[t + 1] - offsets[t])
                for d in range(dim):
                    hidden[p, d] /= count
                largest = np.float32(-1e30)
                for y in range(n_labels):
                    s = np.float32(0)
                    for d in range(dim):
                        s += hidden[p, d] * output[y, d]
                    gradient[p, y] = s
                    largest = max(largest, s)
                total = np.float32(0)
                for y in range(n_labels):
                    gradient[p, y] = np.exp(gradient[p, y] - largest)
                    total += gradient[p, y]
                step[p, :] = 0
                for y in range(n_labels):
                    wanted = np.float32(1) if y == targets[t] else np.float32(0)
                    gradient[p, y] = r * (wanted - gradient[p, y] / total)
                    for d in range(dim):
                        step[p, d] += gradient[p, y] * output[y, d]
            for p in range(m):
                t = order[begin + p]
                count = np.float32(offsets[t + 1] - offsets[t])
                for y in range(n_labels):
                    for d in range(dim):
                        output[y, d] += gradient[p, y] * hidden[p, d]
                for k in range(offsets[t], offsets[t + 1]):
                    for d in range(dim):
                        input[rows[k], d] += step[p, d] / count


class TextsInLockstep(_Emulation):
    """Softmax by `programs` programs."""

    def train(self, first: int, last: int) -> SpanResult:
        """Train all blocks."""
        plan: ClassifierPlan = self._plan
        examples, config = plan.examples, plan.config
        texts = range(len(examples))
        rows = [examples.rows_of(i) for i in texts]
        offsets = np.cumsum([0, *map(len, rows)])
        flat = np.concatenate([np.asarray(r, np.int32) for r in rows])
        targets = np.array([examples.labels_of(i)[0] for i in texts])
        _train_texts(
            plan.order, self.programs, config.epochs, config.learning_rate, offsets, flat, targets,
            self._parameters.input, self._parameters.output,
        )  # fmt: skip
        self.done = plan.total_blocks
        return SpanResult(0.0, 0.0, True)

    def count_right(self) -> int:
        """Not asked for."""
        return 0


class _AllAtOnce:
    """Tells the loop to begin with all of the text."""

    blocks_at_once = 1 << 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--programs", type=int, nargs="+", default=[1, 256, 1024])
    parser.add_argument("--texts", action="store_true")
    parser.add_argument("--subwords", action="store_true")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--dim", type=int)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--word-ngrams", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    for seed in range(given.seeds):
        for n in given.programs:
            began = time.perf_counter()
            found = texts(given, n, seed) if given.texts else words(given, n, seed)
            seconds = time.perf_counter() - began
            shown = "  ".join(f"{k} {v:.4f}" for k, v in found.items())
            print(f"programs {n:5}  seed {seed}  {shown}  ({seconds:.0f} s)", flush=True)


def words(given: argparse.Namespace, n: int, seed: int) -> dict[str, float]:
    """Quality of skip-gram vectors."""
    config = WordVectorsConfig(
        vector_dim=given.dim or 100, epochs=given.epochs, subwords=given.subwords, seed=seed,
        learning_rate=given.rate, evaluation=False,
    )  # fmt: skip
    backend = type("Words", (_AllAtOnce, WordsInLockstep), {"programs": n})
    vectors = train(Corpus(given.files), config, backend=backend)
    return quality(vectors, ROOT.parent / "shared" / "data")


def texts(given: argparse.Namespace, n: int, seed: int) -> dict[str, float]:
    """Accuracy of a softmax classifier."""
    config = TextClassifierConfig(
        vector_dim=given.dim or 10, epochs=given.epochs, subwords=given.subwords, seed=seed,
        word_ngrams=given.word_ngrams, learning_rate=given.rate, min_count=1, min_char=2,
        max_char=4, evaluation=False,
    )  # fmt: skip
    backend = type("Texts", (_AllAtOnce, TextsInLockstep), {"programs": n})
    model = TextClassifier(train_classifier(Corpus(given.files[:1]), config, backend=backend))
    return {"accuracy": model.test(given.files[1]).accuracy}


if __name__ == "__main__":
    main()
