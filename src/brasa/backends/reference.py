"""Training in NumPy, slow and obvious: the specification that other backends are tested against.

It draws the same random numbers as the native core and follows the same order, in double precision.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from brasa.backends import OnHost, SpanResult
from brasa.parameters import Parameters
from brasa.plan import ALWAYS, TrainingPlan

Vector = npt.NDArray[np.float64]

_WORD = 2**64 - 1
_STEP = 0x9E3779B97F4A7C15
# The loss is looked at in one tile of this many.
_LOSS_INTERVAL = 32
_MAX_REDRAWS = 64
# Centre words of a skip-gram tile that are trained side by side.
_CENTRES = 4


class Random:
    """SplitMix64 (Steele, Lea, Flood 2014), one stream for each block of text."""

    def __init__(self, seed: int, stream: int) -> None:
        self._state = _mix(seed ^ _mix(stream + 1))

    def next(self) -> int:
        """64 random bits."""
        self._state = (self._state + _STEP) & _WORD
        return _mix(self._state)

    def at(self, n: int) -> int:
        """What call n + 1 of `next` from here would give."""
        return _mix((self._state + (n + 1) * _STEP) & _WORD)

    def skip(self, n: int) -> None:
        """Leave out n numbers."""
        self._state = (self._state + n * _STEP) & _WORD

    def below(self, n: int) -> int:
        """Uniform over ``range(n)``."""
        return scaled(self.next(), n)

    def draw(self, accept: npt.NDArray[np.uint32], alias: npt.NDArray[np.int32]) -> int:
        """From the distribution of an alias table."""
        bits = self.next()
        slot = scaled(bits, len(accept))
        accepted = bits & 0xFFFFFFFF < int(accept[slot])
        return slot if accepted else int(alias[slot])

    def draw_other_than(
        self, target: int, accept: npt.NDArray[np.uint32], alias: npt.NDArray[np.int32]
    ) -> int | None:
        """The same, drawn again while it is `target`; None after 64 times."""
        drawn = (self.draw(accept, alias) for _ in range(_MAX_REDRAWS))
        return next((row for row in drawn if row != target), None)


def scaled(bits: int, n: int) -> int:
    """64 random bits as a number of ``range(n)``."""
    return ((bits >> 32) * n) >> 32


def _mix(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


@dataclass(frozen=True)
class Block:
    """A block after subsampling: words, and positions of the contexts of each (itself left out)."""

    words: list[int]
    contexts: list[list[int]]


def sample_block(plan: TrainingPlan, index: int, random: Random) -> Block:
    """Draw which tokens of a block are kept, and the window of each.

    Each choice has a place of its own in the block's stream: number t decides on token t, number
    ``block_tokens + i`` is the window of kept word i; those after ``2 * block_tokens`` are left.
    """
    begin = index * plan.block_tokens
    words: list[int] = []
    contexts: list[list[int]] = []

    def close_line() -> None:
        first, last = len(contexts), len(words)
        for i in range(first, last):
            reach = scaled(random.at(plan.block_tokens + i), plan.config.window_size) + 1
            window = range(max(first, i - reach), min(last, i + reach + 1))
            contexts.append([j for j in window if j != i])

    for t, word in enumerate(plan.tokens[begin : begin + plan.block_tokens].tolist()):
        keep = int(plan.keep[word])
        if keep == ALWAYS or random.at(t) >> 32 < keep:
            words.append(word)
        if word == plan.line_end:
            close_line()
    close_line()
    random.skip(2 * plan.block_tokens)
    return Block(words, contexts)


class ReferenceBackend(OnHost):
    """See `brasa.backends.Backend`; one thread whatever is asked for."""

    def __init__(self, plan: TrainingPlan, parameters: Parameters, threads: int) -> None:
        self._plan = plan
        self._parameters = parameters
        self._input = parameters.input.astype(np.float64)
        self._output = parameters.output.astype(np.float64)
        self._done = 0

    def train(self, first: int, last: int) -> SpanResult:
        """Train blocks ``first .. last - 1``."""
        loss = n_pairs = 0.0
        for index in range(first, last):
            block_loss, block_pairs = self._train_block(index)
            loss += block_loss
            n_pairs += block_pairs
        self._parameters.input[:] = self._input
        self._parameters.output[:] = self._output
        self._done = last
        return SpanResult(loss, n_pairs, math.isfinite(loss))

    @property
    def done(self) -> int:
        """End of the last span."""
        return self._done

    def _train_block(self, index: int) -> tuple[float, float]:
        plan, config = self._plan, self._plan.config
        random = Random(config.seed, index)
        block = sample_block(plan, plan.block_of(index), random)
        n = len(block.words)
        pairwise = config.loss == "hs" or plan.shared_negatives == 0
        carried = _Carried()
        loss = n_pairs = done = 0.0
        for number, tile in enumerate(_tiles(plan, n, pairwise)):
            remaining = 1 - (index + done / n) / plan.total_blocks
            rate = config.learning_rate * remaining
            if pairwise:
                result = self._train_pairs(block, tile[0], rate, random)
            else:
                draws = range(plan.shared_negatives)
                negatives = [random.draw(plan.accept, plan.alias) for _ in draws]
                if config.mode == "cbow":
                    result = self._train_cbow_tile(block, tile, negatives, rate, carried)
                else:
                    result = self._train_skipgram_tile(block, tile, negatives, rate)
            done += len(tile)
            if number % _LOSS_INTERVAL == 0:
                loss += result[0]
                n_pairs += result[1]
        return loss, n_pairs

    def _rows(self, word: int) -> npt.NDArray[np.int32]:
        table = self._plan.subwords
        return table.rows[table.offsets[word] : table.offsets[word + 1]]

    def _add_to_rows(self, rows: npt.NDArray[np.int32], step: Vector) -> None:
        np.add.at(self._input, rows, step)  # a repeated row moves once for each repetition

    def _train_skipgram_tile(
        self, block: Block, tile: Sequence[int], pool: list[int], rate: float
    ) -> tuple[float, float]:
        """One pair of each open centre at a time, everything moved before the next step."""
        waiting = [i for i in tile if block.contexts[i]]
        negatives = itertools.cycle(pool)
        opened: list[Centre] = []
        loss = n_pairs = 0.0
        while waiting or opened:
            while waiting and len(opened) < _CENTRES:
                i = waiting.pop(0)
                rows = self._rows(block.words[i])
                contexts = [block.words[j] for j in block.contexts[i]]
                opened.append(Centre(rows, self._input[rows].mean(axis=0), contexts))
            drawn = list(itertools.islice(negatives, self._plan.config.negative_samples))
            loss += self._train_side_by_side(opened, drawn, rate)
            n_pairs += len(opened)
            for c in reversed(range(len(opened))):
                if not opened[c].contexts:
                    opened[c], opened[-1] = opened[-1], opened[c]
                    centre = opened.pop()
                    self._add_to_rows(centre.rows, centre.hidden - centre.start)
        return loss, n_pairs

    def _train_side_by_side(
        self, centres: list[Centre], negatives: list[int], rate: float
    ) -> float:
        """A pair of each centre, and negatives that all of them share."""
        output = self._output
        targets = [centre.contexts.pop(0) for centre in centres]
        hidden = np.array([centre.hidden for centre in centres])
        scores = (hidden * output[targets]).sum(axis=1)
        negative_scores = output[negatives] @ hidden.T
        gradients = rate * (1 - sigmoid(scores))
        negative_gradients = -rate * sigmoid(negative_scores)
        for word, gradient in zip(negatives, negative_gradients, strict=True):
            row = output[word].copy()
            output[word] += gradient @ hidden
            for centre, g in zip(centres, gradient, strict=True):
                centre.hidden = centre.hidden + g * row
        for centre, word, gradient, h in zip(centres, targets, gradients, hidden, strict=True):
            centre.hidden = centre.hidden + gradient * output[word]
            output[word] += gradient * h
        return float(softplus(-scores).sum() + softplus(negative_scores).sum())

    def _train_negatives(
        self, hidden: Vector, steps: Vector, negatives: list[int], weights: Vector, rate: float
    ) -> float:
        """Add to `steps` what the negatives ask for, and move the negatives' rows."""
        scores = hidden @ self._output[negatives].T
        gradients = -rate * weights[:, None] * sigmoid(scores)
        steps += gradients @ self._output[negatives]
        np.add.at(self._output, negatives, gradients.T @ hidden)
        return float((weights[:, None] * softplus(scores)).sum())

    def _train_cbow_tile(
        self,
        block: Block,
        tile: Sequence[int],
        negatives: list[int],
        rate: float,
        carried: _Carried,
    ) -> tuple[float, float]:
        """All centres of a tile at once; see `_Position` for what is carried to the next one."""
        plan, reach, n = self._plan, self._plan.config.window_size, len(block.words)
        ahead = min(n, tile[-1] + 1 + reach)
        for c in range(carried.loaded, ahead):
            rows = self._rows(block.words[c])
            carried.positions[c] = _Position(rows, self._input[rows].sum(axis=0))
        carried.loaded = ahead
        positions = carried.positions
        hidden = np.zeros((len(tile), self._input.shape[1]))
        for lane, i in enumerate(tile):
            if block.contexts[i]:
                n_rows = sum(len(positions[c].rows) for c in block.contexts[i])
                hidden[lane] = sum(positions[c].row_sum for c in block.contexts[i]) / n_rows
        used = np.array([bool(block.contexts[i]) for i in tile])
        targets = [block.words[i] for i in tile]
        scores = (hidden * self._output[targets]).sum(axis=1)
        gradients = np.where(used, rate * (1 - sigmoid(scores)), 0.0)
        steps = gradients[:, None] * self._output[targets]
        weights = used * plan.config.negative_samples / plan.shared_negatives
        loss = float(softplus(-scores)[used].sum())
        loss += self._train_negatives(hidden, steps, negatives, weights, rate)
        np.add.at(self._output, targets, gradients[:, None] * hidden)
        for lane, i in enumerate(tile):
            for c in block.contexts[i]:
                positions[c].move(steps[lane])
        last = tile[-1] + 1 == n
        for c in [c for c in positions if last or c < tile[-1] + 1 - reach]:
            position = positions.pop(c)
            self._add_to_rows(position.rows, position.step)
        return loss, float(used.sum())

    def _train_pairs(
        self, block: Block, i: int, rate: float, random: Random
    ) -> tuple[float, float]:
        """Each pair on its own, everything moved before the next, as fastText does."""
        if self._plan.config.mode == "cbow":
            contexts = [block.words[j] for j in block.contexts[i]]
            if not contexts:
                return 0.0, 0.0
            rows = np.concatenate([self._rows(word) for word in contexts])
            return self._train_pair(rows, block.words[i], rate, random), 1.0
        rows = self._rows(block.words[i])
        losses = [self._train_pair(rows, block.words[j], rate, random) for j in block.contexts[i]]
        return sum(losses), float(len(losses))

    def _train_pair(
        self, rows: npt.NDArray[np.int32], target: int, rate: float, random: Random
    ) -> float:
        hidden = self._input[rows].mean(axis=0)
        step = np.zeros_like(hidden)
        loss = 0.0
        for row, label in self._labelled(target, random):
            score = self._output[row] @ hidden
            loss += float(softplus(-score if label else score))
            gradient = rate * (label - float(sigmoid(score)))
            step += gradient * self._output[row]
            self._output[row] += gradient * hidden
        self._add_to_rows(rows, step)
        return loss

    def _labelled(self, target: int, random: Random) -> Iterator[tuple[int, bool]]:
        """The output rows of a pair and what each should answer."""
        plan = self._plan
        if plan.config.loss == "hs":
            path = slice(plan.path_offsets[target], plan.path_offsets[target + 1])
            nodes, branches = plan.path_nodes[path].tolist(), plan.path_branches[path].tolist()
            yield from zip(nodes, map(bool, branches), strict=True)
            return
        yield target, True
        for _ in range(plan.config.negative_samples):
            negative = random.draw_other_than(target, plan.accept, plan.alias)
            if negative is not None:
                yield negative, False


@dataclass
class Centre:
    """A centre word of the skip-gram tile whose pairs are being trained."""

    rows: npt.NDArray[np.int32]
    start: Vector
    contexts: list[int]

    def __post_init__(self) -> None:
        self.hidden = self.start


class _Position:
    """A context position of the cbow tile: its word's rows, read once and moved once.

    Between the two, their sum follows the steps; each of the rows will move by every step.
    """

    def __init__(self, rows: npt.NDArray[np.int32], row_sum: Vector) -> None:
        self.rows = rows
        self.row_sum = row_sum
        self.step = np.zeros_like(row_sum)

    def move(self, step: Vector) -> None:
        self.step += step
        self.row_sum = self.row_sum + len(self.rows) * step


class _Carried:
    """Context positions that are read and not yet stored, and how far the block has been read."""

    def __init__(self) -> None:
        self.positions: dict[int, _Position] = {}
        self.loaded = 0


def _tiles(plan: TrainingPlan, n: int, pairwise: bool) -> Iterator[range]:
    """Consecutive positions of each tile."""
    size = 1 if pairwise else plan.tile_size
    for begin in range(0, n, size):
        yield range(begin, min(n, begin + size))


def sigmoid(x: npt.ArrayLike) -> Vector:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(x))))


def softplus(x: npt.ArrayLike) -> Vector:
    """log(1 + exp(x)), without overflow."""
    return np.asarray(np.logaddexp(0.0, x))
