"""What all ways to start from a model have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from brasa.errors import ConfigError
from brasa.parameters import check_trainable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from brasa.config import WordVectorsConfig
    from brasa.encoding import EncodedCorpus
    from brasa.parameters import Embeddings, FloatMatrix, Parameters
    from brasa.plan import TrainingPlan
    from brasa.subwords import FloretHashing, SubwordTable
    from brasa.vocabulary import Vocabulary

# Settings of the machine, which leave a training what it is.
OF_THE_MACHINE = ("threads", "instruction_set", "device", "gpus")
# The only settings that leave an interrupted training what it was.
FREE_AT_RESUMPTION = (*OF_THE_MACHINE, "evaluation")

Places = npt.NDArray[np.intp]

# A run's record has up to 200 losses, 9 kB of a header that is parsed whenever a model is opened.
MAX_PREVIOUS_RUNS = 50
# Rows that are copied or composed at a time, so that what is in between stays small.
CHUNK_ROWS = 1 << 16


@dataclass(frozen=True)
class StartedFrom:
    """Training starts from a model.

    Attributes
    ----------
    how : {"pretrained", "continued", "grown", "resumed"}
        Vectors only; counts, n-gram rows and output rows too; the same without training; the
        learning rate's clock too.
    model : str or None
        Where the model was, if it came from a file.
    n_words : int
        Words of the vocabulary that start from its rows.
    n_new_words : int
        Words that start from random numbers.
    output_rows : {"kept", "new"}
    warning : str or None
        What could not be kept although the model's training is continued, and why.
    """

    how: str
    model: str | None
    n_words: int
    n_new_words: int
    output_rows: Literal["kept", "new"]
    warning: str | None


@dataclass(frozen=True, eq=False, kw_only=True)
class WarmStart(ABC):
    """A model, and what is taken over from it.

    Made by `pretrained`, `continued` or `resumed`, which refuse what does not fit. The model is
    read, never written.
    """

    model: Embeddings
    path: str | None = None  # where the model was, for the record
    how: ClassVar[str]
    trains: ClassVar[bool] = True
    keeps_output: ClassVar[bool] = True

    @property
    def first_words(self) -> Vocabulary | None:
        """Words that the vocabulary begins with; None: the text alone decides."""
        return self.model.vocabulary

    @property
    def floret(self) -> FloretHashing | None:
        """How words find their rows, where the trained model is one of floret's."""
        return None

    @abstractmethod
    def vocabulary(self, read: Vocabulary, encoded: EncodedCorpus) -> Vocabulary:
        """The vocabulary to train with, out of that of the text."""

    def subwords(self, vocabulary: Vocabulary, config: WordVectorsConfig) -> SubwordTable | None:
        """The rows of its words; None: those of their n-grams, and no others."""
        return None

    def blocks_done(self, plan: TrainingPlan) -> int:
        """Where training begins: blocks that an interrupted one has done."""
        return 0

    @property
    def warning(self) -> str | None:
        """Why output rows start anew although they are to be kept."""
        return None

    def fill(
        self, parameters: Parameters, vocabulary: Vocabulary, plan: TrainingPlan
    ) -> StartedFrom:
        """Write the model's rows over the random ones.

        Raises
        ------
        ModelFormatError
            When the model has numbers that are not finite, or too large to train.
        """
        n_known = self._fill_input(parameters.input, vocabulary, plan)
        keeps_output = self.keeps_output and self.warning is None
        if keeps_output:
            parameters.output[: len(self.model.output)] = self.model.output
        check_trainable(self.name, parameters.input, parameters.output)
        return StartedFrom(
            how=self.how,
            model=self.path,
            n_words=n_known,
            n_new_words=len(vocabulary) - n_known,
            output_rows="kept" if keeps_output else "new",
            warning=self.warning,
        )

    @abstractmethod
    def _fill_input(self, rows: FloatMatrix, vocabulary: Vocabulary, plan: TrainingPlan) -> int:
        """Write input rows; gives how many words have got one."""

    def previous_runs(self) -> list[Any]:
        """The metadata of the runs before, the last one last, each with its configuration."""
        return previous_runs(self.model.metadata, config=self.model.config.to_dict())

    @property
    def name(self) -> str:
        """What messages call the model."""
        return self.path or "the model to start from"

    def _copy_buckets(self, rows: FloatMatrix, plan: TrainingPlan) -> None:
        """Take over the rows of the buckets that both models have."""
        new, old = plan.subwords.bucket_ids, self.model.bucket_ids
        places = np.searchsorted(old, new)
        found = np.flatnonzero(places < len(old))
        found = found[old[places[found]] == new[found]]
        n_words = len(self.model.vocabulary)
        copy_rows(rows, plan.n_words + found, self.model.input, n_words + places[found])


def previous_runs(metadata: Mapping[str, Any], **more: Any) -> list[Any]:
    """The metadata of the runs before, the last one last; `more` is said of this one."""
    last = {**more, **metadata}
    earlier = last.pop("previous_runs", [])
    return [*(earlier if isinstance(earlier, list) else []), last][-MAX_PREVIOUS_RUNS:]


def check_rows(model: Embeddings, field: str) -> None:
    """Refuse a model whose rows are codes, or whose vocabulary is broken."""
    if model.quantized is not None:
        raise ConfigError(
            field, "a quantized model", "one with plain rows: codes cannot be trained. Take the "
            "model that it was made from",
        )  # fmt: skip
    model.vocabulary.check()


def check_room(model: Embeddings, config: WordVectorsConfig) -> None:
    """Refuse a `max_vocab` below the number of words that are to be kept."""
    n_words, limit = len(model.vocabulary), config.max_vocab
    if limit is not None and limit < n_words:
        allowed = f"{n_words} or more: the words that the model has are kept"
        raise ConfigError("max_vocab", limit, allowed)


def copy_rows(target: FloatMatrix, to: Places, source: FloatMatrix, from_: Places) -> None:
    """``target[to] = source[from_]``, of which the right side would be another matrix in memory."""
    for begin in range(0, len(to), CHUNK_ROWS):
        chunk = slice(begin, begin + CHUNK_ROWS)
        target[to[chunk]] = source[from_[chunk]]
