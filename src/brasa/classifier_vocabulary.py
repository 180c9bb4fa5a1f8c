"""Which tokens of a labeled text are words and labels of a classifier, and which rows they have."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brasa.errors import CorpusError
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from brasa.config import TextClassifierConfig

# What a token is, beside the row of a word: as in native/text/examples.h.
_DROPPED_WORD = -1
_DROPPED_LABEL = -2
_FIRST_LABEL = -3


@dataclass(frozen=True, eq=False)
class KnownFeatures:
    """What a model that is trained on has rows for; a text adds no words and no labels to it.

    Attributes
    ----------
    vocabulary, labels : Vocabulary
    bucket_ids : uint32, ascending
        Buckets with a row, in the order of their rows.
    drops_other_buckets : bool
        Whether n-grams of other buckets are left out, or else get rows.
    """

    vocabulary: Vocabulary
    labels: Vocabulary
    bucket_ids: npt.NDArray[np.uint32]
    drops_other_buckets: bool


@dataclass(frozen=True, eq=False)
class Tokens:
    """What the different tokens of a text are.

    Attributes
    ----------
    vocabulary, labels, n_unknown_labels
        As in `brasa.examples.Examples`.
    meaning : int32, shape (n_different,)
        Row of a word; or less than 0: see native/text/examples.h.
    """

    vocabulary: Vocabulary
    labels: Vocabulary
    meaning: npt.NDArray[np.int32]
    n_unknown_labels: int = 0


def chosen_tokens(
    everything: Vocabulary, config: TextClassifierConfig, source: str | None
) -> Tokens:
    """The words and labels of a text that are frequent enough.

    Raises
    ------
    CorpusError
        When fewer than two labels are left.
    """
    is_label = begin_with(everything, config.label_prefix)
    labels = is_label & (everything.counts >= config.min_count_label)
    words = ~is_label & (everything.counts >= config.min_count)
    _check_labels(everything, is_label, labels, config, source)
    meaning = np.where(is_label, _DROPPED_LABEL, _DROPPED_WORD).astype(np.int32)
    meaning[words] = np.arange(words.sum(), dtype=np.int32)
    meaning[labels] = _FIRST_LABEL - np.arange(labels.sum(), dtype=np.int32)
    return Tokens(_select(everything, words), _select(everything, labels), meaning)


def known_tokens(
    everything: Vocabulary, known: KnownFeatures, label_prefix: str, source: str | None
) -> Tokens:
    """The words and labels that a model has.

    As in prediction, a label of the model is one whatever it begins with.

    Raises
    ------
    CorpusError
        When the text has none of its labels.
    """
    words = known.vocabulary.indices(everything.words)
    labels = known.labels.indices(everything.words)
    other = begin_with(everything, label_prefix) & (words < 0) & (labels < 0)
    if np.all(labels < 0):
        which = "no label" if not other.any() else "only labels that the model does not have"
        names = ", ".join([*map(known.labels.word, range(min(3, len(known.labels)))), "..."])
        raise CorpusError(f"{which} in the text; the model has {names}", source=source)
    meaning = np.where(other, _DROPPED_LABEL, _DROPPED_WORD).astype(np.int32)
    meaning[words >= 0] = words[words >= 0]
    meaning[labels >= 0] = _FIRST_LABEL - labels[labels >= 0]
    # The tokens of this text, so that its speed is told.
    vocabulary = dataclasses.replace(known.vocabulary, n_tokens=everything.n_tokens)
    return Tokens(vocabulary, known.labels, meaning, int(everything.counts[other].sum()))


def begin_with(vocabulary: Vocabulary, prefix: str) -> npt.NDArray[np.bool_]:
    """Which words begin with a prefix."""
    start = np.frombuffer(prefix.encode("utf-8", "surrogateescape"), np.uint8)
    found = np.diff(vocabulary.offsets) >= len(start)
    for i, byte in enumerate(start):
        candidates = np.flatnonzero(found)
        found[candidates] = vocabulary.arena[vocabulary.offsets[candidates] + i] == byte
    return found


def _select(vocabulary: Vocabulary, chosen: npt.NDArray[np.bool_]) -> Vocabulary:
    offsets = np.zeros(int(chosen.sum()) + 1, np.int64)
    np.cumsum(np.diff(vocabulary.offsets)[chosen], out=offsets[1:])
    # Words by descending count: there are few runs of chosen ones, between labels and before those
    # that are too rare. A mask over the bytes of a million words takes 40 ms, this 4.
    runs = np.flatnonzero(np.diff(chosen, prepend=False, append=False)).reshape(-1, 2)
    pieces = [vocabulary.arena[begin:end] for begin, end in vocabulary.offsets[runs].tolist()]
    return Vocabulary.from_arrays(
        np.concatenate([np.empty(0, np.uint8), *pieces]),
        offsets,
        vocabulary.counts[chosen],
        vocabulary.n_tokens,
    )


def _check_labels(
    everything: Vocabulary,
    is_label: npt.NDArray[np.bool_],
    kept: npt.NDArray[np.bool_],
    config: TextClassifierConfig,
    source: str | None,
) -> None:
    """Refuse texts with which there is nothing to tell apart."""
    n_labels, n_kept = int(is_label.sum()), int(kept.sum())
    if n_labels == 0:
        raise CorpusError(
            f"no label in the text: a label is a token that begins with {config.label_prefix} "
            "(label_prefix names another beginning)",
            source=source,
        )
    if n_labels == 1:
        only = everything.word(int(np.flatnonzero(is_label)[0]))
        raise CorpusError(
            f"{only} is the only label; two different ones are needed to train", source=source
        )
    if n_kept < 2:
        second = int(np.sort(everything.counts[is_label])[-2])
        raise CorpusError(
            f"min_count_label={config.min_count_label} leaves {n_kept} of {n_labels} labels, and "
            f"two are needed: use min_count_label={second} or less",
            source=source,
        )
