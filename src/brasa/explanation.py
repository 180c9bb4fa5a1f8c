"""Which words and n-grams of a text speak for a label: what each adds to the label's score.

A classifier is linear in the mean of a text's rows, so a score is a sum over features, exactly.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.parameters import QuantizedMatrix, dense
from brasa.sentences import WORD
from brasa.subwords import Subwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brasa.parameters import Classifier, FloatMatrix

FeatureKind = Literal["word", "word_ngram", "character_ngram"]

_LINE_END = "</s>"
_RUN_FACTOR = 116049371  # fastText's, by which the hash of a run of words grows
_MASK = 2**64 - 1


@dataclass(frozen=True)
class Contribution:
    """A feature of a text, and what it adds to a score.

    Attributes
    ----------
    text : str
        A word, words with spaces between them, or a character n-gram, with ``<`` and ``>`` for the
        ends of its word. ``</s>`` is the end of the line.
    kind : {"word", "word_ngram", "character_ngram"}
    count : int
        How often the text has it.
    value : float
        What it adds, all occurrences together.
    """

    text: str
    kind: FeatureKind
    count: int
    value: float


@dataclass(frozen=True)
class Explanation:
    """Why a text has a label, or has not.

    Attributes
    ----------
    label : str
        With its prefix.
    probability : float
        As predicted.
    score : float
        The sum of all contributions: the product of the text's vector and the label's row, from
        which its probability comes (``ova`` and ``ns``); less the mean over all labels
        (``softmax``); or the sum of the scores along the label's path, those of left turns negative
        (``hs``).
    contributions : list of Contribution
        Those of the greatest absolute value, these first.
    others : float
        The sum of those that are not listed.
    """

    label: str
    probability: float
    score: float
    contributions: list[Contribution]
    others: float


def contributions(model: Classifier, text: str, label: int) -> list[Contribution]:
    """What each feature of a line adds to the score of a label: see `Explanation`.

    Features that have no row add nothing and are not listed. Those of the greatest absolute value
    come first.
    """
    counts: Counter[tuple[FeatureKind, str, int]] = Counter()
    n_features = 0
    for kind, name, row in _features(model, text):
        n_features += 1
        if row >= 0:
            counts[kind, name, row] += 1
        elif model.drops_other_buckets or kind == "word":
            n_features -= 1
    rows = _rows_of(model.input, np.array([row for _, _, row in counts], np.int64))
    values = rows.astype(np.float64) @ direction(model, label) / max(1, n_features)
    totals: dict[tuple[FeatureKind, str], tuple[int, float]] = {}
    for (kind, name, _), count, value in zip(counts, counts.values(), values.tolist(), strict=True):
        totals[kind, name] = (count, count * value)
    found = [Contribution(name, kind, *total) for (kind, name), total in totals.items()]
    return sorted(found, key=lambda part: -abs(part.value))


def direction(model: Classifier, label: int) -> npt.NDArray[np.float64]:
    """What the vector of a text is multiplied by for a label's score, float64, (vector_dim,)."""
    rows = dense(model.output).astype(np.float64)
    if model.loss == "hs":
        offsets, nodes, turns = _native.build_huffman_code(np.asarray(model.labels.counts))
        path = slice(offsets[label], offsets[label + 1])
        along: npt.NDArray[np.float64] = np.where(turns[path], 1.0, -1.0) @ rows[nodes[path]]
        return along
    found: npt.NDArray[np.float64] = rows[label]
    return found - rows.mean(axis=0) if model.loss == "softmax" else found


def _features(model: Classifier, text: str) -> Iterator[tuple[FeatureKind, str, int]]:
    """Kind, text and input row of each feature of a line; row -1: it has none."""
    tokens = list(_words(model, text))
    for (word, row), ngrams in ((token, _ngrams(model, token[0])) for token in tokens):
        yield "word", word, row
        yield from ngrams
    if model.word_ngrams < 2 or model.buckets == 0:
        return
    hashes = [_signed(_native.hash_word(_encoded(word))) for word, _ in tokens]
    for i in range(len(tokens)):
        value = hashes[i] & _MASK
        for j in range(i + 1, min(len(tokens), i + model.word_ngrams)):
            value = (value * _RUN_FACTOR + hashes[j]) & _MASK
            run = " ".join(word for word, _ in tokens[i : j + 1])
            yield "word_ngram", run, _bucket_row(model, value % model.buckets)


def _words(model: Classifier, text: str) -> Iterator[tuple[str, int]]:
    """The words of a line with their rows, its end too; labels in it are passed over."""
    tokens = [*WORD.findall(text), _LINE_END]
    for token, row in zip(tokens, model.vocabulary.indices(tokens).tolist(), strict=True):
        is_label = token.startswith(model.label_prefix) or token in model.labels
        if row >= 0 or not is_label:
            yield token, row
        if token == _LINE_END:
            return


def _ngrams(model: Classifier, word: str) -> Iterator[tuple[FeatureKind, str, int]]:
    if model.max_char <= 0 or model.buckets == 0:
        return
    ngrams = Subwords(model.min_char, model.max_char, model.buckets)
    pairs = zip(ngrams.ngrams(word), ngrams.bucket_ids(word).tolist(), strict=True)
    for text, bucket in pairs:
        yield "character_ngram", text, _bucket_row(model, bucket)


def _bucket_row(model: Classifier, bucket: int) -> int:
    place = int(np.searchsorted(model.bucket_ids, bucket))
    if place == len(model.bucket_ids) or model.bucket_ids[place] != bucket:
        return -1
    row = place if model.bucket_rows is None else int(model.bucket_rows[place])
    return len(model.vocabulary) + row


def _rows_of(matrix: FloatMatrix | QuantizedMatrix, rows: npt.NDArray[np.int64]) -> Any:
    return matrix.take(rows).decode() if isinstance(matrix, QuantizedMatrix) else matrix[rows]


def _encoded(word: str) -> bytes:
    return word.encode("utf-8", "surrogateescape")


def _signed(value: int) -> int:
    return value - 2**32 if value >= 2**31 else value
