"""Labeled texts as numbers: what a text classifier trains on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.classifier_vocabulary import KnownFeatures, begin_with, chosen_tokens, known_tokens
from brasa.corpus import Corpus
from brasa.encoding import LINE_END, Progress, available_threads, encode_all, source_of
from brasa.errors import CorpusError
from brasa.lines import ITERABLE
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from brasa.config import TextClassifierConfig


@dataclass(frozen=True, eq=False)
class Examples:
    """Texts with their labels.

    The features of a text are its words, with `subwords` their character n-grams, and its word
    n-grams, all as in fastText: the line end ``</s>`` is a word, words below `min_count` have no
    row of their own but take part in n-grams, labels do not.

    Attributes
    ----------
    vocabulary : Vocabulary
        Words by descending count; a word's index is its row. Those of a model that is trained on
        keep its order and its counts, as its labels do.
    labels : Vocabulary
        Labels with their prefix, by descending count.
    item_offsets : int64, shape (n_texts + 1,)
        The items of text i are ``items[item_offsets[i]:item_offsets[i + 1]]``.
    items : int32
        Rows of the input matrix, of words and then of word n-grams. With `subwords` the row of a
        word stands for its unit; and ``~k`` for that of the k-th dropped word.
    unit_offsets, unit_rows : int64, int32
        With `subwords`, the rows of a word and its character n-grams, a unit for each word and then
        for each dropped word of the text; else empty.
    label_offsets, label_ids : int64, int32
        The labels of each text, in the same way.
    bucket_ids : uint32, shape (n_touched,)
        Buckets that an n-gram falls in, and all of a model that is trained on, ascending; bucket
        ``bucket_ids[k]`` has row n_words + k.
    weights : float32, shape (n_texts,)
        What the steps of each text are multiplied by; empty: 1.
    n_skipped : int
        Lines left out since they have no label, or no feature.
    n_bytes : int
        Length of the text, decompressed.
    sources : tuple of str
        What was read.
    n_unknown_labels : int
        Labels in the text, each time, that a model that is trained on does not have.
    """

    vocabulary: Vocabulary
    labels: Vocabulary
    item_offsets: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]
    unit_offsets: npt.NDArray[np.int64]
    unit_rows: npt.NDArray[np.int32]
    label_offsets: npt.NDArray[np.int64]
    label_ids: npt.NDArray[np.int32]
    bucket_ids: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    n_skipped: int
    n_bytes: int
    sources: tuple[str, ...]
    n_unknown_labels: int = 0

    def __len__(self) -> int:
        return len(self.item_offsets) - 1

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "rows"}

    def rows_of(self, text: int) -> list[int]:
        """The input rows of a text's features, one for each occurrence."""
        rows: list[int] = self.rows.list(text, text + 1, 1)[1].tolist()
        return rows

    @cached_property
    def rows(self) -> _native.ExampleRows:
        """What lists the input rows of texts."""
        return _native.ExampleRows(
            item_offsets=self.item_offsets,
            items=self.items,
            unit_offsets=self.unit_offsets,
            unit_rows=self.unit_rows,
            n_words=len(self.vocabulary),
            n_rows=len(self.vocabulary) + len(self.bucket_ids),
        )

    def labels_of(self, text: int) -> list[int]:
        """The labels of a text, as its line names them."""
        return _slice(self.label_ids, self.label_offsets, text)


def _slice(values: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64], index: int) -> list[int]:
    found: list[int] = values[offsets[index] : offsets[index + 1]].tolist()
    return found


def encode_examples(
    corpus: Corpus,
    config: TextClassifierConfig,
    on_progress: Progress | None = None,
    weights: Sequence[float] | None = None,
    known: KnownFeatures | None = None,
) -> Examples:
    """Read labeled lines once, choose the vocabularies, and number the features.

    Parameters
    ----------
    corpus : Corpus
        Lines with their labels in them.
    config : TextClassifierConfig
    on_progress : callable, optional
        Called with (bytes read, tokens counted) after each piece of text.
    weights : sequence of float, optional
        One for each line, those that are skipped too; looked at when all are read.
    known : KnownFeatures, optional
        The vocabularies, which the text then does not choose: `min_count` and `min_count_label`
        mean nothing.

    Raises
    ------
    CorpusError
        When fewer than two labels are left (with `known` none), when no line has both a label and a
        feature, or when weights are not one for each line, not finite, negative, or all zero.
    StorageError
        When a file cannot be read.
    """
    threads = config.threads or available_threads()
    everything, encoded = encode_all(corpus, threads, on_progress)
    source = source_of(encoded.sources)
    if known is None:
        tokens = chosen_tokens(everything, config, source)
        neither = f"a label and a word that occurs min_count={config.min_count} times"
    else:
        tokens = known_tokens(everything, known, config.label_prefix, source)
        neither = "a label and a word or n-gram that the model has a row for"
    # Not by `index`, which would build a hash table of all the words for this one.
    ends = np.flatnonzero(
        begin_with(everything, LINE_END) & (np.diff(everything.offsets) == len(LINE_END))
    )
    found = _native.build_examples(
        ids=encoded.ids,
        arena=everything.arena,
        offsets=everything.offsets,
        meaning=tokens.meaning,
        n_words=len(tokens.vocabulary),
        word_ngrams=config.word_ngrams,
        min_char=config.min_char,
        max_char=config.max_char if config.subwords else 0,
        buckets=config.buckets,
        line_end=int(ends[0]) if len(ends) else -1,
        threads=threads,
        model_buckets=np.empty(0, np.uint32) if known is None else known.bucket_ids,
        drops_other_buckets=known is not None and known.drops_other_buckets,
    )
    if len(found["item_offsets"]) == 1:
        raise CorpusError(f"no line has both {neither}", source=source)
    return Examples(
        vocabulary=tokens.vocabulary,
        labels=tokens.labels,
        item_offsets=found["item_offsets"],
        items=found["items"],
        unit_offsets=found["unit_offsets"],
        unit_rows=found["unit_rows"],
        label_offsets=found["label_offsets"],
        label_ids=found["labels"],
        bucket_ids=found["bucket_ids"],
        weights=_weights_of(weights, found["lines"], found["n_skipped"], source),
        n_skipped=found["n_skipped"],
        n_bytes=encoded.n_bytes,
        sources=encoded.sources,
        n_unknown_labels=tokens.n_unknown_labels,
    )


def _weights_of(
    weights: Sequence[float] | None,
    lines: npt.NDArray[np.int64],
    n_skipped: int,
    source: str | None,
) -> npt.NDArray[np.float32]:
    if weights is None:
        return np.empty(0, np.float32)
    n_lines = len(lines) + n_skipped
    if len(weights) != n_lines:
        raise CorpusError(f"{len(weights)} weights for {n_lines} lines of text", source=source)
    values = np.asarray(weights, np.float32)
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        problem = f"the weight {values[bad[0]]} is not a finite number from 0 up"
        raise CorpusError(problem, source=source or ITERABLE, line=int(bad[0]) + 1)
    if not values[lines].any():
        raise CorpusError("the weights of all texts are 0", source=source)
    return values[lines]
