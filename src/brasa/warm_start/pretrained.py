"""Words that start from vectors, whatever these were made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brasa import lookup
from brasa.errors import ConfigError
from brasa.warm_start.base import CHUNK_ROWS, WarmStart, check_room, check_rows, copy_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brasa.config import WordVectorsConfig
    from brasa.encoding import EncodedCorpus
    from brasa.parameters import Embeddings, FloatMatrix
    from brasa.plan import TrainingPlan
    from brasa.vocabulary import Vocabulary


def pretrained(
    model: Embeddings, config: WordVectorsConfig, *, keep_words: bool = False,
    path: str | None = None,
) -> WarmStart:  # fmt: skip
    """Start words from their vectors in `model`; other words from random numbers.

    Raises
    ------
    ConfigError
        When the vectors have another length than `config` says, or there are more words to keep
        than its `max_vocab`.
    """
    check_rows(model, "pretrained")
    if model.config.vector_dim != config.vector_dim:
        raise ConfigError(
            "vector_dim",
            config.vector_dim,
            f"{model.config.vector_dim}, the length of the pretrained vectors",
        )
    if keep_words:
        check_room(model, config)
        if not len(model.vocabulary):
            raise ConfigError(
                "keep_pretrained_words", True, "left out: the pretrained vectors have no words"
            )
    return _Pretrained(model=model, path=path, keep_words=keep_words)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Pretrained(WarmStart):
    keep_words: bool
    how = "pretrained"
    keeps_output = False

    @property
    def first_words(self) -> Vocabulary | None:
        return self.model.vocabulary if self.keep_words else None

    def vocabulary(self, read: Vocabulary, encoded: EncodedCorpus) -> Vocabulary:
        return read

    def _fill_input(self, rows: FloatMatrix, vocabulary: Vocabulary, plan: TrainingPlan) -> int:
        if not self._has_ngrams_of(plan.config):
            return self._fill_vectors(rows, vocabulary.words)
        found = self.model.vocabulary.indices(vocabulary.words)
        known = np.flatnonzero(found >= 0)
        copy_rows(rows, known, self.model.input, found[known].astype(np.intp))
        self._copy_buckets(rows, plan)
        return len(known)

    def _has_ngrams_of(self, config: WordVectorsConfig) -> bool:
        names = ("subwords", "min_char", "max_char", "buckets")
        same = all(getattr(config, name) == getattr(self.model.config, name) for name in names)
        return config.subwords and same and self.model.floret is None

    def _fill_vectors(self, rows: FloatMatrix, words: Sequence[str]) -> int:
        """Whole vectors as the words' own rows; n-grams stay random, as in fastText.

        A model with n-grams has vectors of words that it has not seen, too.
        """
        n_known = 0
        for begin in range(0, len(words), CHUNK_ROWS):
            vectors = lookup.compose(self.model, words[begin : begin + CHUNK_ROWS])
            known = np.flatnonzero(vectors.any(axis=1))
            rows[begin + known] = vectors[known]
            n_known += len(known)
        return n_known
