"""What training starts from when it is not random numbers: a model, or pretrained vectors."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from brasa import lookup
from brasa.config import WordVectorsConfig
from brasa.errors import ConfigError, ModelFormatError
from brasa.parameters import MAX_PARAMETER, QuantizedMatrix, largest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brasa.parameters import Embeddings, FloatMatrix, Parameters
    from brasa.plan import TrainingPlan
    from brasa.vocabulary import Vocabulary

Places = npt.NDArray[np.intp]

# What rows mean: none of these can change while rows are kept, for the reason on the right.
_FIXED = {
    "vector_dim": "rows have this length",
    "subwords": "words consist of its rows",
    "loss": "output rows belong to it",
}
_FIXED_WITH_SUBWORDS = dict.fromkeys(
    ("min_char", "max_char", "buckets"), "it decides which n-gram a row belongs to"
)
# Settings of a machine, not of a model.
_OF_THE_MACHINE = ("threads", "instruction_set")
# The only settings that leave an interrupted training what it was.
_FREE_AT_RESUMPTION = (*_OF_THE_MACHINE, "evaluation")
# Rows that are copied or composed at a time, so that what is in between stays small.
_CHUNK_ROWS = 1 << 16


@dataclass(frozen=True, eq=False, kw_only=True)
class WarmStart:
    """A model, and what is taken over from it.

    Made by `pretrained`, `continued` or `resumed`, which refuse what does not fit.

    Attributes
    ----------
    model : Embeddings
        It is read, never written.
    how : {"pretrained", "continued", "resumed"}
        Vectors only; counts, n-gram rows and output rows too; the learning rate's clock too.
    keep_words : bool
        Whether the vocabulary begins with the model's words, those not in the text too.
    path : str, optional
        Where the model was, for the record.
    """

    model: Embeddings
    how: Literal["pretrained", "continued", "resumed"]
    keep_words: bool
    path: str | None = None

    @property
    def first_words(self) -> Vocabulary | None:
        """Words that the vocabulary begins with; None: the text alone decides."""
        return self.model.vocabulary if self.keep_words else None

    @property
    def bucket_ids(self) -> npt.NDArray[np.uint32] | None:
        """N-gram buckets that keep their rows whatever words there are."""
        if self.how == "pretrained":
            return None
        ids = self.model.bucket_ids
        if np.any(ids[1:] <= ids[:-1]) or (len(ids) and ids[-1] >= self.model.config.buckets):
            raise ModelFormatError(self._name, "its bucket_ids are broken: they do not ascend")
        return ids

    def vocabulary(self, read: Vocabulary) -> Vocabulary:
        """The vocabulary to train with, out of that of the text.

        Raises
        ------
        ConfigError
            When an interrupted training is to be resumed with another text.
        """
        before = self.model.vocabulary
        if self.how == "continued":
            return read.with_counts_of(before)
        same = all(
            np.array_equal(getattr(read, name), getattr(before, name))
            for name in ("arena", "offsets", "counts")
        )
        if self.how == "resumed" and not (same and read.n_tokens == before.n_tokens):
            raise ConfigError(
                "resume",
                True,
                f"left out: this text has {len(read)} words of {read.n_tokens} tokens, not the "
                f"words and counts of the interrupted training ({len(before)} of "
                f"{before.n_tokens}). Give the same text, or continue without resume",
            )
        return read

    def blocks_done(self, plan: TrainingPlan) -> int:
        """Where training begins: blocks that the interrupted one has done."""
        if self.how != "resumed":
            return 0
        done, total = (self.model.metadata[name] for name in ("blocks_done", "total_blocks"))
        if total != plan.total_blocks or not 0 <= done < total:
            raise ConfigError(
                "resume",
                True,
                f"left out: the model says that {done} of {total} blocks were done, and this text "
                f"has {plan.total_blocks}",
            )
        return int(done)

    def fill(self, parameters: Parameters, vocabulary: Vocabulary, plan: TrainingPlan) -> None:
        """Write the model's rows over the random ones.

        Raises
        ------
        ModelFormatError
            When the model has numbers that are not finite, or too large to train.
        """
        model = self.model
        n_words = len(model.vocabulary)
        if self.how == "pretrained":
            new, old = self._common_words(vocabulary)
        else:
            new = old = np.arange(n_words)
        if self.how == "pretrained" and not _same_ngrams(model.config, plan.config, model):
            self._fill_words(parameters, new, old)
        else:
            _copy_rows(parameters.input, new, model.input, old)
            new, old = _common_buckets(plan.subwords.bucket_ids, model.bucket_ids)
            _copy_rows(parameters.input, plan.n_words + new, model.input, n_words + old)
        if self._keeps_output:
            parameters.output[:n_words] = model.output
        for matrix in (parameters.input, parameters.output):
            largest = largest_of(matrix)
            if not largest < MAX_PARAMETER:
                raise ModelFormatError(
                    self._name,
                    f"its numbers go up to {largest:.1e}; training needs less than "
                    f"{MAX_PARAMETER:g}: scale the vectors",
                )

    def describe(self) -> dict[str, Any]:
        """What the trained model says of where it comes from.

        `previous_runs` lists the metadata of all runs before, the first one first, each with its
        configuration.
        """
        before = dict(self.model.metadata)
        earlier = before.pop("previous_runs", [])
        return {
            "started_from": {
                "how": self.how,
                "model": self.path,
                "n_words": len(self.model.vocabulary),
                "output_rows": "kept" if self._keeps_output else "new",
            },
            "previous_runs": [
                *(earlier if isinstance(earlier, list) else []),
                {"config": self.model.config.to_dict(), **before},
            ],
        }

    @property
    def _name(self) -> str:
        return self.path or "the model to start from"

    @property
    def _keeps_output(self) -> bool:
        """Other counts make another Huffman tree, and some files have no output rows."""
        if self.how == "pretrained" or not len(self.model.output):
            return False
        return self.how == "resumed" or self.model.config.loss == "ns"

    def _common_words(self, vocabulary: Vocabulary) -> tuple[Places, Places]:
        """Indices of the same words in the new vocabulary and in the model's."""
        if self.keep_words:
            every = np.arange(len(self.model.vocabulary))
            return every, every
        found = self.model.vocabulary.indices(vocabulary.words)
        new = np.flatnonzero(found >= 0)
        return new, found[new].astype(np.intp)

    def _fill_words(self, parameters: Parameters, new: Places, old: Places) -> None:
        """Whole vectors as the words' own rows; n-grams stay random, as in fastText."""
        for begin in range(0, len(new), _CHUNK_ROWS):
            chunk = slice(begin, begin + _CHUNK_ROWS)
            words = [self.model.vocabulary.word(i) for i in old[chunk].tolist()]
            parameters.input[new[chunk]] = lookup.compose(self.model, words)


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
    _check_model(model, "pretrained")
    if model.config.vector_dim != config.vector_dim:
        raise ConfigError(
            "vector_dim",
            config.vector_dim,
            f"{model.config.vector_dim}, the length of the pretrained vectors",
        )
    if keep_words:
        _check_room(model, config)
    return WarmStart(model=model, how="pretrained", keep_words=keep_words, path=path)


def continued(
    model: Embeddings, changes: Mapping[str, Any], *, path: str | None = None
) -> tuple[WarmStart, WordVectorsConfig]:
    """Go on from `model` with new text; hyperparameters are the model's but for `changes`.

    Raises
    ------
    ConfigError
        When a change is impossible, or would make the model's rows mean something else.
    """
    _check_model(model, "model")
    if model.floret is not None:
        raise ConfigError(
            "model", "a model of floret's", "one with fastText's n-grams: words of floret's find "
            "their rows in another way, which cannot be trained. pretrained= takes its vectors",
        )  # fmt: skip
    config = _changed(model.config, changes)
    fixed = {**_FIXED, **(_FIXED_WITH_SUBWORDS if model.config.subwords else {})}
    for name, reason in fixed.items():
        before, after = (getattr(c, name) for c in (model.config, config))
        if before != after:
            raise ConfigError(
                name, after, f"{before!r}, as in the model: {reason}. pretrained= can change it"
            )
    _check_room(model, config)
    return WarmStart(model=model, how="continued", keep_words=True, path=path), config


def resumed(
    model: Embeddings, changes: Mapping[str, Any], *, path: str | None = None
) -> tuple[WarmStart, WordVectorsConfig]:
    """Go on with a training that was interrupted, where it was, with the text that it had.

    Raises
    ------
    ConfigError
        When the model is not of an interrupted training, or a change would make it another one.
    """
    start, config = continued(model, changes, path=path)
    done, total = (model.metadata.get(name) for name in ("blocks_done", "total_blocks"))
    if not (model.metadata.get("interrupted") is True and type(done) is type(total) is int):
        allowed = "left out: the model is not of a training that was interrupted and kept"
        raise ConfigError("resume", True, allowed)
    for f in dataclasses.fields(config):
        before, after = (getattr(c, f.name) for c in (model.config, config))
        if before != after and f.name not in _FREE_AT_RESUMPTION:
            raise ConfigError(f.name, after, f"{before!r}, as before the interruption, to resume")
    return dataclasses.replace(start, how="resumed", keep_words=False), config


def _changed(config: WordVectorsConfig, changes: Mapping[str, Any]) -> WordVectorsConfig:
    values = config.to_dict()
    for name in _OF_THE_MACHINE:
        del values[name]
    return WordVectorsConfig.parse({**values, **changes})


def _check_model(model: Embeddings, field: str) -> None:
    rows: Any = model.input
    if isinstance(rows, QuantizedMatrix):
        raise ConfigError(
            field, "a quantized model", "one with plain rows: codes cannot be trained. Take the "
            "model that it was made from",
        )  # fmt: skip
    if not len(model.vocabulary):
        raise ConfigError(field, "a table without words", "a model with words")
    model.vocabulary.check()


def _check_room(model: Embeddings, config: WordVectorsConfig) -> None:
    n_words, limit = len(model.vocabulary), config.max_vocab
    if limit is not None and limit < n_words:
        allowed = f"{n_words} or more: the words that the model has are kept"
        raise ConfigError("max_vocab", limit, allowed)


def _same_ngrams(a: WordVectorsConfig, b: WordVectorsConfig, model: Embeddings) -> bool:
    names = _FIXED_WITH_SUBWORDS
    same = all(getattr(a, name) == getattr(b, name) for name in names)
    return a.subwords and b.subwords and same and model.floret is None


def _copy_rows(target: FloatMatrix, to: Places, source: FloatMatrix, from_: Places) -> None:
    for begin in range(0, len(to), _CHUNK_ROWS):
        chunk = slice(begin, begin + _CHUNK_ROWS)
        target[to[chunk]] = source[from_[chunk]]


def _common_buckets(
    new: npt.NDArray[np.uint32], old: npt.NDArray[np.uint32]
) -> tuple[Places, Places]:
    """Places of the same buckets in both lists, which ascend."""
    places = np.searchsorted(old, new)
    found = np.flatnonzero(places < len(old))
    found = found[old[places[found]] == new[found]]
    return found, places[found]
