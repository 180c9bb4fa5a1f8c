"""Every hyperparameter once: name, default, range and help text.

Names, defaults and ranges are those of Amazon SageMaker BlazingText where it has the parameter; the
rest is marked as brasa's own in the help. The command line's options and the documentation's table
are generated from these fields, and `parse` accepts the strings that BlazingText jobs send.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import operator
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brasa.errors import ConfigError

Mode = Literal["skipgram", "cbow", "batch_skipgram"]
Loss = Literal["ns", "hs"]
ClassifierLoss = Literal["softmax", "hs", "ns", "ova"]
Device = Literal["auto", "cpu", "cuda"]
InstructionSet = Literal["auto", "avx512", "avx2", "neon", "scalar"]

MAX_VECTOR_DIM = 2048
MAX_SHARED_NEGATIVES = 256
MAX_BATCH_SIZE = 32

_Config = typing.TypeVar("_Config", bound="_Hyperparameters")


def _option(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    exclusive: bool = False,
) -> Any:
    """Declare a field with the bounds that `_check` enforces (`exclusive`: bounds not included)."""
    return field(
        default=default,
        metadata={"help": help, "min": minimum, "max": maximum, "exclusive": exclusive},
    )


class _Hyperparameters:
    """What the dataclasses of hyperparameters have in common."""

    subwords: bool
    min_char: int
    max_char: int

    def __post_init__(self) -> None:
        _check(self)
        if self.subwords and self.min_char > self.max_char:
            raise ConfigError("min_char", self.min_char, f"at most max_char, {self.max_char}")

    @classmethod
    def parse(cls: type[_Config], values: Mapping[str, Any]) -> _Config:
        """Build from names and values, where values may be strings in any case (``"True"``).

        Raises
        ------
        ConfigError
            For an unknown name, a string that does not parse, or an impossible value.
        """
        fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, cls))}
        hints = typing.get_type_hints(cls)
        for name, value in values.items():
            if name not in fields:
                raise ConfigError(name, value, f"one of the known names: {', '.join(fields)}")
        return cls(**{name: _parse(name, value, hints[name]) for name, value in values.items()})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as stored in a model's metadata."""
        return dataclasses.asdict(typing.cast(Any, self))


@dataclass(frozen=True, kw_only=True)
class WordVectorsConfig(_Hyperparameters):
    """Hyperparameters of a word-vector model. An impossible value raises `ConfigError`."""

    mode: Mode = _option("skipgram", "Architecture.")
    vector_dim: int = _option(100, "Length of the vectors.", minimum=1, maximum=MAX_VECTOR_DIM)
    window_size: int = _option(
        5, "Largest distance, in kept words, of a context word.", minimum=1, maximum=1000
    )
    epochs: int = _option(5, "Full passes over the text.", minimum=1, maximum=1_000_000)
    learning_rate: float = _option(
        0.05, "Step size at the start; falls linearly to 0.", minimum=0, maximum=100, exclusive=True
    )
    min_count: int = _option(5, "Drop words that occur less often.", minimum=0, maximum=2**62)
    negative_samples: int = _option(
        5, "Negative samples for each positive pair.", minimum=1, maximum=1000
    )
    sampling_threshold: float = _option(
        1e-4,
        "Drop occurrences of words more frequent than this fraction of the text, at random.",
        minimum=0,
        maximum=1,
        exclusive=True,
    )
    subwords: bool = _option(
        False, "Learn vectors of character n-grams too, so that unseen words have vectors."
    )
    min_char: int = _option(3, "Shortest character n-gram.", minimum=1, maximum=64)
    max_char: int = _option(6, "Longest character n-gram.", minimum=1, maximum=64)
    buckets: int = _option(
        2_000_000, "Hash buckets for character n-grams.", minimum=1, maximum=2**31 - 1
    )
    batch_size: int = _option(
        11,
        "Centre words that share negatives in batch_skipgram mode; other modes ignore it.",
        minimum=1,
        maximum=MAX_BATCH_SIZE,
    )
    evaluation: bool = _option(True, "Score the model on WordSim-353 after training.")
    loss: Loss = _option("ns", "Negative sampling or hierarchical softmax.")
    negative_exponent: float = _option(
        0.5, "Negatives are drawn with probability proportional to count to this power.",
        minimum=-2, maximum=2,
    )  # fmt: skip
    shared_negatives: int | None = _option(
        None,
        "Negatives drawn for a whole tile of words: skip-gram takes negative_samples of them in "
        "turn for every four pairs, cbow all of them for every word, weighted; 0 draws "
        "negative_samples anew for every pair, which is exact and several times slower. "
        "Default: 8 for each word of a skip-gram tile, 32 for cbow.",
        minimum=0,
        maximum=MAX_SHARED_NEGATIVES,
    )
    max_vocab: int | None = _option(
        None, "Keep only this many of the most frequent words.", minimum=1, maximum=2**31 - 1
    )
    seed: int = _option(
        0, "Seed of every random choice; with one thread, the same seed gives the same bytes.",
        minimum=0, maximum=2**63 - 1,
    )  # fmt: skip
    threads: int | None = _option(
        None, "Worker threads. Default: all processors of this process.", minimum=1, maximum=1024
    )
    instruction_set: InstructionSet = _option(
        "auto", "Kernels to use; auto takes the fastest that this processor has."
    )
    device: Device = _option(
        "auto", "Where to train. auto takes a GPU if there is one and 50 million words or more are "
        "to be trained, epochs counted; cuda is what PyTorch calls any GPU.",
    )  # fmt: skip
    gpus: int = _option(
        1, "GPUs of this machine that train together (device cuda).", minimum=1, maximum=64
    )


def _shared(name: str, help: str | None = None) -> Any:
    """Declare a field with the default and the bounds of the one of `WordVectorsConfig`."""
    same = WordVectorsConfig.__dataclass_fields__[name]
    metadata = same.metadata if help is None else {**same.metadata, "help": help}
    return field(default=same.default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class TextClassifierConfig(_Hyperparameters):
    """Hyperparameters of a text classifier. An impossible value raises `ConfigError`."""

    mode: Literal["supervised"] = _option("supervised", "Architecture.")
    vector_dim: int = _shared("vector_dim")
    epochs: int = _shared("epochs", "Full passes over the text; with early_stopping, at most.")
    learning_rate: float = _shared("learning_rate")
    min_count: int = _shared("min_count")
    word_ngrams: int = _option(
        2, "Longest run of words that is a feature too; 1: none.", minimum=1, maximum=64
    )
    buckets: int = _shared("buckets", "Hash buckets for n-grams.")
    early_stopping: bool = _option(
        False, "Stop when the accuracy on the validation texts has not risen for `patience` epochs."
    )
    min_epochs: int = _option(
        5, "Epochs before early_stopping looks at the accuracy.", minimum=1, maximum=1_000_000
    )
    patience: int = _option(
        4, "Epochs without a better accuracy that early_stopping waits.",
        minimum=1, maximum=1_000_000,
    )  # fmt: skip
    loss: ClassifierLoss = _option(
        "softmax",
        "Softmax, hierarchical softmax, negative sampling; or ova, one logistic regression for "
        "each label, for texts with several labels.",
    )
    negative_samples: int = _shared(
        "negative_samples", "Negative samples for each label (loss ns)."
    )
    negative_exponent: float = _shared("negative_exponent")
    min_count_label: int = _option(
        0, "Drop labels that occur less often.", minimum=0, maximum=2**62
    )
    evaluation: bool = _shared(
        "evaluation", "After training, tell the accuracy on the texts that were trained on."
    )
    label_prefix: str = _option("__label__", "What a token begins with that is a label.")
    subwords: bool = _shared("subwords", "Character n-grams of the words are features too.")
    min_char: int = _shared("min_char")
    max_char: int = _shared("max_char")
    seed: int = _shared("seed")
    threads: int | None = _shared("threads")
    instruction_set: InstructionSet = _shared("instruction_set")
    device: Device = _shared("device")
    gpus: int = _shared("gpus")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.label_prefix.split() != [self.label_prefix]:
            raise ConfigError("label_prefix", self.label_prefix, "one token, without white space")
        if self.early_stopping and self.min_epochs > self.epochs:
            raise ConfigError("min_epochs", self.min_epochs, f"at most epochs, {self.epochs}")


@dataclass(frozen=True, kw_only=True)
class TextOptions:
    """How text is prepared before it is split into words; by default it is not touched."""

    lowercase: bool = _option(False, "Lower-case the text (Unicode).")
    nfc: bool = _option(False, "Bring the text to Unicode normalization form C.")
    on_invalid: Literal["keep", "refuse"] = _option(
        "keep", "What to do with bytes that are not UTF-8: keep them as they are, or refuse the "
        "text, naming file and line.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        _check(self)


def choices(hint: Any) -> tuple[str, ...] | None:
    """The values of a ``Literal`` type, None for any other type."""
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else None


def optional_of(hint: Any) -> tuple[Any, bool]:
    """Split ``T | None`` into ``(T, True)``; any other type gives ``(type, False)``."""
    arguments = typing.get_args(hint)
    if type(None) in arguments:
        return next(a for a in arguments if a is not type(None)), True
    return hint, False


def _check(config: Any) -> None:
    """Refuse a value of the wrong type or outside the bounds of its field."""
    hints = typing.get_type_hints(type(config))
    for f in dataclasses.fields(config):
        value = getattr(config, f.name)
        hint, optional = optional_of(hints[f.name])
        if value is None and optional:
            continue
        allowed = choices(hint)
        if allowed is not None:
            if not isinstance(value, str) or value not in allowed:
                raise ConfigError(f.name, value, f"one of {', '.join(allowed)}")
            continue
        plain = _plain(value, hint)
        if type(plain) is not hint:
            raise ConfigError(f.name, value, f"of type {hint.__name__}")
        if hint not in (bool, str) and not _in_range(plain, f.metadata):
            raise ConfigError(f.name, value, describe_range(f.metadata))
        object.__setattr__(config, f.name, plain)


def _plain(value: Any, hint: type) -> Any:
    """NumPy's numbers and the like as `int` or `float`; anything else as it is."""
    if isinstance(value, bool):
        return value
    if hint is int and isinstance(value, numbers.Integral):
        return operator.index(value)
    if hint is float and isinstance(value, numbers.Real):
        try:
            return float(value)
        except OverflowError:  # an int of more than 308 digits
            return math.inf
    return value


def _in_range(value: float, bounds: Mapping[str, Any]) -> bool:
    # NaN is in no range.
    low: float = bounds["min"]
    high: float = bounds["max"]
    return low < value < high if bounds["exclusive"] else low <= value <= high


def describe_range(bounds: Mapping[str, Any]) -> str:
    """The bounds of a field in words: ``between 1 and 2048``."""
    suffix = ", both excluded" if bounds["exclusive"] else ""
    return f"between {bounds['min']} and {bounds['max']}{suffix}"


def _parse(name: str, value: Any, hint: Any) -> Any:
    if not isinstance(value, str):
        return value
    kind, _ = optional_of(hint)
    if kind is str or choices(kind) is not None:
        return value
    text = value.strip()
    if kind is bool:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise ConfigError(name, value, "True or False")
    try:
        return kind(text)
    except ValueError:
        raise ConfigError(name, value, f"a number of type {kind.__name__}") from None
