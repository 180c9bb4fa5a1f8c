"""Models that are trained on, with new text or where an interrupted training stopped."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.config import WordVectorsConfig
from brasa.encoding import available_threads
from brasa.errors import ConfigError, ModelFormatError
from brasa.subwords import add_buckets, build_subword_table, floret_subword_table
from brasa.warm_start.base import (
    FREE_AT_RESUMPTION,
    OF_THE_MACHINE,
    WarmStart,
    check_room,
    check_rows,
    copy_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brasa.encoding import EncodedCorpus
    from brasa.parameters import Embeddings, FloatMatrix
    from brasa.plan import TrainingPlan
    from brasa.subwords import FloretHashing, SubwordTable
    from brasa.vocabulary import Vocabulary

# What rows mean: none of these can change while rows are kept, for the reason on the right.
_FIXED = {
    "vector_dim": "rows have this length",
    "subwords": "words consist of its rows",
    "loss": "output rows belong to it",
}
_FIXED_WITH_SUBWORDS = dict.fromkeys(
    ("min_char", "max_char", "buckets"), "it decides which n-gram a row belongs to"
)


def continued(
    model: Embeddings, changes: Mapping[str, Any], *, path: str | None = None
) -> tuple[WarmStart, WordVectorsConfig]:
    """Go on from `model` with new text; hyperparameters are the model's but for `changes`.

    With ``epochs=0`` the model only grows: it gets the words and counts of the text.

    Raises
    ------
    ConfigError
        When a change is impossible, or would make the model's rows mean something else.
    """
    _check_model(model)
    kind: type[WarmStart] = _Continued
    if str(changes.get("epochs")) == "0":
        kind, changes = _Grown, {k: v for k, v in changes.items() if k != "epochs"}
    config = _changed(model.config, changes)
    fixed = {**_FIXED, **(_FIXED_WITH_SUBWORDS if model.config.subwords else {})}
    for name, reason in fixed.items():
        before, after = (getattr(c, name) for c in (model.config, config))
        if before != after:
            raise ConfigError(
                name, after, f"{before!r}, as in the model: {reason}. pretrained= can change it"
            )
    check_room(model, config)
    return kind(model=model, path=path), config


def resumed(
    model: Embeddings, changes: Mapping[str, Any], *, path: str | None = None
) -> tuple[WarmStart, WordVectorsConfig]:
    """Go on with a training that was interrupted, where it was, with the text that it had.

    Raises
    ------
    ConfigError
        When the model is not of an interrupted training, or a change would make it another one.
    """
    _check_model(model)
    metadata = model.metadata
    done, total, text = (metadata.get(n) for n in ("blocks_done", "total_blocks", "text_checksum"))
    interrupted = metadata.get("interrupted") is True and type(done) is type(total) is type(text)
    if not (interrupted and isinstance(text, int)):
        allowed = "left out: the model is not of a training that was interrupted and kept"
        raise ConfigError("resume", True, allowed)
    config = _changed(model.config, changes)
    for f in dataclasses.fields(config):
        before, after = (getattr(c, f.name) for c in (model.config, config))
        if before != after and f.name not in FREE_AT_RESUMPTION:
            raise ConfigError(f.name, after, f"{before!r}, as before the interruption, to resume")
    return _Resumed(model=model, path=path), config


@dataclass(frozen=True, eq=False, kw_only=True)
class _Continued(WarmStart):
    how = "continued"

    @property
    def floret(self) -> FloretHashing | None:
        return self.model.floret

    def vocabulary(self, read: Vocabulary, encoded: EncodedCorpus) -> Vocabulary:
        return read.with_counts_of(self.model.vocabulary)

    def subwords(self, vocabulary: Vocabulary, config: WordVectorsConfig) -> SubwordTable:
        """All buckets of the model keep their rows, whatever words there are."""
        if self.model.floret is not None:
            return floret_subword_table(vocabulary, self.model.floret)
        ids = self.model.bucket_ids
        if np.any(ids[1:] <= ids[:-1]) or (len(ids) and ids[-1] >= config.buckets):
            raise ModelFormatError(self.name, "its bucket_ids are broken: they do not ascend")
        threads = config.threads or available_threads()
        return add_buckets(build_subword_table(vocabulary, config, threads=threads), ids)

    @property
    def warning(self) -> str | None:
        if not len(self.model.output):
            return "the model has no output rows: they start from zero"
        if self.model.config.loss == "hs":
            return (
                'loss="hs": other counts make another Huffman tree, so that output rows, which '
                "are its inner nodes, start from zero; input rows, the vectors, are kept"
            )
        return None

    def _fill_input(self, rows: FloatMatrix, vocabulary: Vocabulary, plan: TrainingPlan) -> int:
        every = np.arange(len(self.model.vocabulary))
        copy_rows(rows, every, self.model.input, every)
        self._copy_buckets(rows, plan)
        return len(every)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Grown(_Continued):
    how = "grown"
    trains = False


@dataclass(frozen=True, eq=False, kw_only=True)
class _Resumed(_Continued):
    how = "resumed"

    def vocabulary(self, read: Vocabulary, encoded: EncodedCorpus) -> Vocabulary:
        """The model's own; raises `ConfigError` when the text is another one."""
        before = self.model.vocabulary
        found = (len(read), encoded.checksum())
        if found != (len(before), self.model.metadata["text_checksum"]):
            raise ConfigError(
                "resume",
                True,
                "left out: this is not the text of the interrupted training. Give the same text, "
                "or continue without resume",
            )
        return before

    def blocks_done(self, plan: TrainingPlan) -> int:
        done, total = (self.model.metadata[name] for name in ("blocks_done", "total_blocks"))
        if total != plan.total_blocks or not 0 <= done < total:
            raise ConfigError(
                "resume",
                True,
                f"left out: the model says that {done} of {total} blocks were done, and this text "
                f"has {plan.total_blocks}",
            )
        return int(done)

    @property
    def warning(self) -> str | None:
        """The same counts make the same tree."""
        return None


def _changed(config: WordVectorsConfig, changes: Mapping[str, Any]) -> WordVectorsConfig:
    values = config.to_dict()
    for name in OF_THE_MACHINE:
        del values[name]
    return WordVectorsConfig.parse({**values, **changes})


def _check_model(model: Embeddings) -> None:
    check_rows(model, "model")
    if not len(model.vocabulary):
        raise ConfigError(
            "model", "a table without words", "a model with words. A table of floret's has neither "
            "words with counts nor output rows, which training moves along with it; pretrained= "
            "starts the words of a text from its vectors",
        )  # fmt: skip
