"""Labeled lines as numbers, against the definition that fastText's files give them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.errors import BrasaError, CorpusError
from brasa.examples import Examples, encode_examples
from brasa.labeled_text import labeled_corpus
from brasa.subwords import Subwords

END = "</s>"


def encode(lines: list[str], **hyperparameters: Any) -> Examples:
    config = TextClassifierConfig(
        **{"min_count": 1, "word_ngrams": 1, "buckets": 500, "threads": 2, **hyperparameters}
    )
    return encode_examples(Corpus(iter(lines)), config)


def word_hash(word: str) -> int:
    """FNV-1a over sign-extended bytes, as a signed number of 32 bits."""
    value = 2166136261
    for byte in word.encode():
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return value - 2**32 if value >= 2**31 else value


def run_buckets(words: list[str], n: int, buckets: int) -> list[int]:
    found = []
    for i, word in enumerate(words):
        value = word_hash(word) % 2**64
        for following in words[i + 1 : i + n]:
            value = (value * 116049371 + word_hash(following)) % 2**64
            found.append(value % buckets)
    return found


def slow(lines: list[str], config: TextClassifierConfig) -> list[tuple[Counter[Any], list[str]]]:
    """Features, words or bucket numbers, and labels of each line that has both."""
    split = [[*line.split(), END] for line in lines]
    counts = Counter(token for line in split for token in line)
    ngrams = Subwords(config.min_char, config.max_char, config.buckets)
    texts = []
    for line in split:
        labels = [t for t in line if t.startswith(config.label_prefix)]
        words = [t for t in line if not t.startswith(config.label_prefix)]
        features: Counter[Any] = Counter(w for w in words if counts[w] >= config.min_count)
        if config.subwords:
            for word in words:
                features.update(ngrams.bucket_ids(word).tolist())
        features.update(run_buckets(words, config.word_ngrams, config.buckets))
        labels = [label for label in labels if counts[label] >= config.min_count_label]
        if labels and features:
            texts.append((features, labels))
    return texts


def named(examples: Examples) -> list[tuple[Counter[Any], list[str]]]:
    words, labels = examples.vocabulary.words, examples.labels.words
    meaning = [*words, *examples.bucket_ids.tolist()]
    return [
        (
            Counter(meaning[row] for row in examples.rows_of(i)),
            [labels[k] for k in examples.labels_of(i)],
        )
        for i in range(len(examples))
    ]


WORDS = st.sampled_from(["a", "bb", "ação", "北海", "x" * 30, "__label__1", "__label__2"])


@given(
    lines=st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=12),
    word_ngrams=st.integers(1, 4),
    subwords=st.booleans(),
    min_count=st.integers(0, 3),
    min_count_label=st.integers(0, 2),
    threads=st.integers(1, 3),
)
def test_against_the_definition(lines: list[str], subwords: bool, **values: Any) -> None:
    lines = ["__label__1 a", "__label__1", "__label__2", "__label__2 bb", *lines]
    config = TextClassifierConfig(buckets=300, subwords=subwords, min_char=2, **values)
    try:
        found = encode_examples(Corpus(iter(lines)), config)
    except CorpusError:
        assert not slow(lines, config)
        return
    expected = slow(lines, config)
    assert named(found) == expected
    assert found.n_skipped == len(lines) - len(expected)
    used = {feature for features, _ in expected for feature in features if type(feature) is int}
    if not subwords:  # with them, words of skipped lines have buckets too
        assert used == set(found.bucket_ids.tolist())


def test_labels_may_stand_anywhere_in_the_line() -> None:
    found = encode(["__label__a x y", "x __label__a y", "x y __label__b __label__a"])
    assert found.labels.words == ["__label__a", "__label__b"]
    assert found.labels.counts.tolist() == [3, 1]
    assert [found.labels_of(i) for i in range(3)] == [[0], [0], [1, 0]]
    assert found.rows_of(0) == found.rows_of(1) == found.rows_of(2)


@pytest.mark.parametrize("prefix", ["__label__", "#", "é:", "label="])
def test_any_prefix(prefix: str) -> None:
    found = encode([f"{prefix}a x", f"{prefix}b y"], label_prefix=prefix)
    assert found.labels.words == [f"{prefix}a", f"{prefix}b"]
    assert sorted(found.vocabulary.words) == [END, "x", "y"]


def test_lines_without_a_label_or_a_feature_are_skipped() -> None:
    found = encode(["__label__a x", "", "x y", "__label__b", "__label__b x"], min_count=3)
    assert len(found) == 5 - found.n_skipped
    # The line's end is a feature: a line of labels alone has it.
    assert found.n_skipped == 2
    assert found.vocabulary.words == [END, "x"]


def test_a_file_whose_last_line_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"__label__a x\n__label__b x")
    config = TextClassifierConfig(min_count=2, word_ngrams=1)
    found = encode_examples(Corpus(tmp_path / "text"), config)
    assert [len(found.rows_of(i)) for i in range(2)] == [1, 1]
    (tmp_path / "text").write_bytes(b"__label__a x __label__b x")
    found = encode_examples(Corpus(tmp_path / "text"), config)
    assert [found.labels_of(i) for i in range(len(found))] == [[0, 1]]


@pytest.mark.parametrize(
    ("lines", "hyperparameters", "message"),
    [
        (["a b", "c"], {}, "no label in the text: a label is a token that begins with __label__"),
        (["__label__a b"], {}, "__label__a is the only label; two different ones are needed"),
        (
            ["__label__a b", "__label__a c", "__label__b d"],
            {"min_count_label": 2},
            "min_count_label=2 leaves 1 of 2 labels, and two are needed: use min_count_label=1",
        ),
        (["__label__a b", "__label__b c"], {"min_count": 5}, "no line has both a label and a word"),
    ],
)
def test_nothing_to_tell_apart(
    lines: list[str], hyperparameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        encode(lines, **hyperparameters)


def test_threads_do_not_matter() -> None:
    random = np.random.default_rng(0)
    lines = [
        f"__label__{i % 9} " + " ".join(f"w{k}" for k in random.integers(0, 500, 12))
        for i in range(5000)
    ]
    one, three = (encode(lines, threads=n, word_ngrams=3, subwords=True) for n in (1, 3))
    for name in ("items", "item_offsets", "unit_rows", "label_ids", "bucket_ids"):
        np.testing.assert_array_equal(getattr(one, name), getattr(three, name))


def test_pairs() -> None:
    pairs = [("x y", "a"), ("y\nz", ["b", "__label__a"]), ("z", 7), ("q", [])]
    found = encode_examples(
        labeled_corpus(pairs, "__label__"), TextClassifierConfig(min_count=1, word_ngrams=1)
    )
    assert found.labels.words == ["__label__a", "__label__7", "__label__b"]
    assert [found.labels_of(i) for i in range(len(found))] == [[0], [2, 0], [1]]
    assert found.n_skipped == 1


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("x", "a"), ("x",)], r"<iterable>:2: \('x',\) is no pair of a text and its labels"),
        ([(b"x", "a")], "is no pair of a text"),
        ([("x", 1.5)], "the label 1.5 is neither a str nor an int"),
        ([("x", True)], "the label True is neither"),
        ([("x", None)], "the label None is neither"),
        ([("x", "a b")], "the label 'a b' is empty or has white space in it"),
        ([("x", "")], "the label '' is empty"),
        ([("x", "a\n")], "white space"),
    ],
)
def test_what_is_no_labeled_text(pairs: list[Any], message: str) -> None:
    config = TextClassifierConfig(min_count=1)
    with pytest.raises(BrasaError, match=message):
        encode_examples(labeled_corpus(pairs, "__label__"), config)
