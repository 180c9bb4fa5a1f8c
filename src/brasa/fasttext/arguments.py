"""fastText's arguments: names, aliases, defaults, and what they are in brasa."""

from __future__ import annotations

import enum
import multiprocessing
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from brasa.config import TextClassifierConfig
from brasa.errors import ConfigError
from brasa.fasttext.errors import ArgumentError
from brasa.fasttext.text import number, path, string, whole
from brasa.parameters import FastTextArguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class model_name(enum.IntEnum):
    """Kinds of models, with the numbers that files have."""

    cbow = 1
    skipgram = 2
    supervised = 3


class loss_name(enum.IntEnum):
    """Losses, with the numbers that files have."""

    hs = 1
    ns = 2
    softmax = 3
    ova = 4


ALIASES = {
    "min_count": "minCount",
    "word_ngrams": "wordNgrams",
    "lr_update_rate": "lrUpdateRate",
    "label_prefix": "label",
    "pretrained_vectors": "pretrainedVectors",
}


@dataclass
class Arguments:
    """The arguments of a training, by fastText's names; the defaults are those of word vectors."""

    input: str = ""
    model: model_name = model_name.skipgram
    lr: float = 0.05
    dim: int = 100
    ws: int = 5
    epoch: int = 5
    minCount: int = 5
    minCountLabel: int = 0
    minn: int = 3
    maxn: int = 6
    neg: int = 5
    wordNgrams: int = 1
    loss: loss_name = loss_name.ns
    bucket: int = 2_000_000
    # One processor is left free; fastText divides by zero when there is no other.
    thread: int = max(1, multiprocessing.cpu_count() - 1)
    lrUpdateRate: int = 100
    t: float = 1e-4
    label: str = "__label__"
    verbose: int = 2
    pretrainedVectors: str = ""
    seed: int = 0
    autotuneValidationFile: str = ""
    autotuneMetric: str = "f1"
    autotunePredictions: int = 1
    autotuneDuration: int = 300
    autotuneModelSize: str = ""

    def __post_init__(self) -> None:
        self.given: set[str] = set()  # names of those that are not defaults; autotune keeps them
        for field in fields(self):
            setattr(self, field.name, _typed(field.name, field.type, getattr(self, field.name)))
        if self.wordNgrams <= 1 and self.maxn == 0 and not self.autotuneValidationFile:
            self.bucket = 0

    @property
    def has_char_ngrams(self) -> bool:
        """Whether words have character n-grams."""
        return self.maxn > 0 and self.minn <= self.maxn

    def in_file(self) -> FastTextArguments:
        """Those that a model file holds."""
        return FastTextArguments(
            self.dim, self.ws, self.epoch, self.minCount, self.neg, self.wordNgrams,
            int(self.loss), int(self.model), self.bucket, self.minn, self.maxn,
            self.lrUpdateRate, self.t,
        )  # fmt: skip

    def classifier_options(self) -> dict[str, Any]:
        """The hyperparameters of `TextClassifier.train`."""
        options = {
            **self._shared(),
            "word_ngrams": max(1, self.wordNgrams),
            "loss": self.loss.name,
            "min_count_label": max(0, self.minCountLabel),
            "label_prefix": self.label,
            "evaluation": False,
        }
        if self.wordNgrams > 1 or self.autotuneValidationFile:
            options["buckets"] = self.bucket
        return options

    def vector_options(self) -> dict[str, Any]:
        """The hyperparameters of `WordVectors.train`."""
        return {
            **self._shared(),
            "mode": self.model.name,
            "window_size": self.ws,
            "loss": self.loss.name,
            # From 1 up nothing is dropped, and below 1 by less than 1e-12 neither.
            "sampling_threshold": min(self.t, 1 - 1e-12),
            "evaluation": False,
        }

    def _shared(self) -> dict[str, Any]:
        options = {
            "vector_dim": self.dim,
            "learning_rate": self.lr,
            "epochs": self.epoch,
            "min_count": max(0, self.minCount),
            "negative_samples": self.neg,
            "threads": self.thread,
            "seed": self.seed,
            "subwords": self.has_char_ngrams,
        }
        if self.has_char_ngrams:
            options |= {"min_char": max(1, self.minn), "max_char": self.maxn,
                        "buckets": self.bucket}  # fmt: skip
        return options

    @classmethod
    def of_file(cls, found: FastTextArguments) -> Arguments:
        """Those of a model file, the others being the defaults."""
        made = cls(
            dim=found.dim, ws=found.ws, epoch=found.epoch, minCount=found.min_count,
            neg=found.neg, wordNgrams=found.word_ngrams, loss=loss_name(found.loss),
            model=model_name(found.model), minn=found.minn, maxn=found.maxn,
            lrUpdateRate=found.lr_update_rate, t=found.t,
        )  # fmt: skip
        made.bucket = found.bucket
        return made


def read_args(
    arg_list: Sequence[Any],
    arg_dict: Mapping[str, Any],
    arg_names: Sequence[str],
    default_values: Mapping[str, Any],
) -> tuple[dict[str, Any], set[str]]:
    """Positional and keyword arguments by name, with defaults, and which ones were given.

    Raises
    ------
    ArgumentError
        For a name that is unknown or given twice, and too many positional arguments.
    """
    if len(arg_list) > len(arg_names):
        raise ArgumentError(f"{len(arg_list)} arguments, where there are {len(arg_names)} names")
    found: dict[str, Any] = {}
    for alias, value in [*zip(arg_names, arg_list, strict=False), *arg_dict.items()]:
        name = ALIASES.get(alias, alias)
        if name not in arg_names:
            raise ArgumentError(f"unexpected keyword argument '{name}'")
        if name in found:
            raise ArgumentError(f"multiple values for argument '{name}'")
        found[name] = value
    return {**default_values, **found}, set(found)


def made_of(values: Mapping[str, Any], given: set[str]) -> Arguments:
    """Arguments of values by name, where the model, the loss and the size of a model are words."""
    model, loss = values["model"], values["loss"]
    if model not in model_name.__members__:
        raise ConfigError("model", model, f"a model name: {', '.join(model_name.__members__)}")
    if loss not in loss_name.__members__:
        raise ConfigError("loss", loss, f"a loss name: {', '.join(loss_name.__members__)}")
    size = values.get("autotuneModelSize", "")
    made = Arguments(**{
        **values,
        "model": model_name[model],
        "loss": loss_name[loss],
        "autotuneModelSize": str(size) if isinstance(size, int) else size,
    })  # fmt: skip
    made.given = given
    return made


def check_possible(arguments: Arguments) -> None:
    """Refuse what cannot be trained, in fastText's words for it.

    What `TextClassifierConfig` and `WordVectorsConfig` refuse comes after that.
    """
    tunes = bool(arguments.autotuneValidationFile)
    if tunes and arguments.model != model_name.supervised:
        raise ConfigError(
            "autotuneValidationFile", arguments.autotuneValidationFile,
            "left out for word vectors: only classifiers are tuned",
        )  # fmt: skip
    needs_buckets = arguments.has_char_ngrams or (
        arguments.model == model_name.supervised and arguments.wordNgrams > 1
    )
    if needs_buckets and arguments.bucket < 1 and not tunes:
        raise ConfigError("bucket", arguments.bucket, "at least 1 with n-grams")
    if arguments.model == model_name.supervised and not tunes:
        TextClassifierConfig.parse(arguments.classifier_options())
    elif not tunes and arguments.loss not in (loss_name.ns, loss_name.hs):
        raise ConfigError("loss", arguments.loss.name, "ns or hs for word vectors")
    if arguments.input == "-":
        raise ConfigError("input", "-", "a file: cannot use stdin for training")


def _typed(name: str, kind: object, value: Any) -> Any:
    """The value as a number or string; annotations are strings here."""
    if kind == "int":
        return whole(name, value)
    if kind == "float":
        return number(name, value)
    if kind == "str":
        return path(value) if name in _PATHS else string(value)
    return value


_PATHS = ("input", "pretrainedVectors", "autotuneValidationFile")
