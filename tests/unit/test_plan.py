"""What backends are handed: tables, sizes and seeds, each against its definition."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.plan import ALWAYS, BLOCK_TOKENS, TrainingPlan, make_plan
from brasa.subwords import Subwords, add_buckets
from brasa.vocabulary import Vocabulary

# 24 tokens and 6 line ends of 3 words in the vocabulary, of 36 tokens in all.
LINES = [["a", "a", "bb", "a", f"rare{i}"] for i in range(6)]


def plan_of(lines: list[list[str]] = LINES, **hyperparameters: Any) -> TrainingPlan:
    config = WordVectorsConfig(**{"min_count": 2, "threads": 1, **hyperparameters})
    vocabulary, encoded = encode(Corpus(lines), config)
    return make_plan(vocabulary, encoded, config)


def test_sizes() -> None:
    plan = plan_of(epochs=7)
    assert plan.n_words == 3
    assert plan.n_raw_tokens == 36
    assert plan.total_words == 7 * 36
    assert len(plan.tokens) == 30
    assert (plan.n_blocks, plan.total_blocks) == (1, 7)
    assert plan.n_input_rows == 3


@pytest.mark.parametrize(
    ("n_tokens", "n_blocks"),
    [(BLOCK_TOKENS - 2, 1), (BLOCK_TOKENS, 1), (BLOCK_TOKENS + 1, 2), (2 * BLOCK_TOKENS + 1, 3)],
)
def test_the_last_block_may_be_short(n_tokens: int, n_blocks: int) -> None:
    words = ["a", "b"] * n_tokens
    plan = plan_of([words[: n_tokens - 1]])  # and the line's end, which is too rare
    assert len(plan.tokens) == n_tokens - 1
    assert plan.n_blocks == -(-(n_tokens - 1) // BLOCK_TOKENS)
    plan = plan_of([words[: n_tokens - 1]], min_count=1)
    assert len(plan.tokens) == n_tokens
    assert plan.n_blocks == n_blocks


def test_the_line_end() -> None:
    plan = plan_of()
    assert (plan.tokens == plan.line_end).sum() == 6
    assert plan_of([["a", "b"] * 2] * 2, min_count=3).line_end == -1  # too rare


def test_subsampling() -> None:
    """min(1, sqrt(t / f) + t / f), f being the share of the raw tokens, in units of 2**-32."""
    plan = plan_of(sampling_threshold=0.01)
    share = np.array([18, 6, 6]) / 36
    expected = np.sqrt(0.01 / share) + 0.01 / share
    np.testing.assert_allclose(plan.keep / 2**32, expected, atol=2**-31)
    assert (plan_of(sampling_threshold=0.999).keep == ALWAYS).all()
    tiny = plan_of(sampling_threshold=5e-324).keep
    assert tiny.max() < 3  # nothing overflows, and next to nothing is kept


@pytest.mark.parametrize("exponent", [-2, -0.5, 0, 0.5, 0.75, 1, 2])
def test_negatives(exponent: float) -> None:
    plan = plan_of(negative_exponent=exponent)
    weights = np.array([18.0, 6, 6]) ** exponent
    found = plan.accept / 2**32 / 3
    np.add.at(found, plan.alias, (1 - plan.accept / 2**32) / 3)
    np.testing.assert_allclose(found, weights / weights.sum(), atol=1e-9)


def test_each_loss_has_its_own_table() -> None:
    ns, hs = plan_of(loss="ns"), plan_of(loss="hs")
    assert (len(ns.accept), len(ns.alias), len(ns.path_offsets)) == (3, 3, 0)
    assert (len(hs.accept), len(hs.alias)) == (0, 0)
    # 18 against 6 + 6: one branch to the most frequent word, two to the others.
    assert hs.path_offsets.tolist() == [0, 1, 3, 5]
    assert hs.path_nodes.tolist() == [1, 0, 1, 0, 1]


def test_huffman_paths_of_words_in_any_order() -> None:
    """A word's path depends on the counts, not on the order; words of count 0 get short ones."""
    text = [[f"w{i}"] * (i + 1) for i in range(9)]
    first = Vocabulary.from_words([f"w{i}" for i in range(9)] + ["absent1", "absent2"], [0] * 11, 0)
    config = WordVectorsConfig(min_count=1, threads=1, loss="hs")
    vocabulary, encoded = encode(Corpus(text), config, first_words=first)
    assert vocabulary.counts.tolist() == [*range(1, 10), 0, 0, 9]  # and the lines' ends
    plan = make_plan(vocabulary, encoded, config)
    lengths = np.diff(plan.path_offsets)
    assert sum(0.5**lengths) == 1
    by_count = lengths[np.argsort(vocabulary.counts, kind="stable")]
    assert (np.diff(by_count) <= 0).all()
    assert lengths.max() <= 6
    paths = [
        (tuple(plan.path_nodes[a:b]), tuple(plan.path_branches[a:b]))
        for a, b in itertools.pairwise(plan.path_offsets)
    ]
    assert len({tuple(zip(*path, strict=True)) for path in paths}) == 12  # each word its own
    assert {nodes[-1] for nodes, _ in paths} == {10}  # they all begin at the root


@pytest.mark.parametrize("shift", [0, 3])
def test_more_buckets_than_words_touch(shift: int) -> None:
    plan = plan_of(subwords=True, min_char=1, max_char=2, buckets=50)
    config, ngrams = plan.config, Subwords(1, 2, 50)
    vocabulary, encoded = encode(Corpus(LINES), config)
    more = np.arange(shift, 50, 2, dtype=np.uint32)
    wider = make_plan(vocabulary, encoded, config, subwords=add_buckets(plan.subwords, more))
    ids = wider.subwords.bucket_ids
    assert ids.tolist() == sorted({*more.tolist(), *plan.subwords.bucket_ids.tolist()})
    assert ids.dtype == np.uint32
    assert wider.subwords.rows.dtype == np.int32
    for i, word in enumerate(vocabulary.words):
        rows = wider.subwords.rows[wider.subwords.offsets[i] : wider.subwords.offsets[i + 1]]
        assert rows[0] == i
        assert ids[rows[1:] - 3].tolist() == ngrams.bucket_ids(word).tolist()


@pytest.mark.parametrize(
    ("mode", "shared", "expected"),
    [
        ("skipgram", None, (128, 16)),
        ("cbow", None, (32, 16)),
        ("batch_skipgram", None, (56, 7)),
        ("skipgram", 0, (0, 16)),
        ("batch_skipgram", 5, (5, 7)),
    ],
)
def test_tiles(mode: str, shared: int | None, expected: tuple[int, int]) -> None:
    plan = plan_of(mode=mode, shared_negatives=shared, batch_size=7)
    assert (plan.shared_negatives, plan.tile_size) == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_input_rows_are_words_then_touched_buckets(threads: int) -> None:
    plan = plan_of(subwords=True, min_char=1, max_char=2, buckets=50, threads=threads)
    ngrams = Subwords(1, 2, 50)
    vocabulary, _ = encode(Corpus(LINES), plan.config)
    assert plan.n_input_rows == 3 + len(plan.subwords.bucket_ids)
    for i, word in enumerate(vocabulary.words):
        rows = plan.subwords.rows[plan.subwords.offsets[i] : plan.subwords.offsets[i + 1]]
        assert rows[0] == i
        buckets = plan.subwords.bucket_ids[rows[1:] - 3]
        assert buckets.tolist() == ngrams.bucket_ids(word).tolist()
