"""The flags of fastText's program: ``-minCount 1 -qnorm``."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from brasa.encoding import available_threads
from brasa.errors import BrasaError
from brasa.fasttext.arguments import Arguments, loss_name, model_name

_DEFAULT_THREADS = 12


class UsageError(BrasaError):
    """A command line that cannot be understood; the message may have the flags after it."""


@dataclass
class Flags(Arguments):
    """The arguments of a training or quantization, and where its files are."""

    thread: int = min(_DEFAULT_THREADS, available_threads())
    output: str = ""
    saveOutput: bool = False
    cutoff: int = 0
    retrain: bool = False
    qnorm: bool = False
    qout: bool = False
    dsub: int = 2


# The flag that stands for a field whose name it does not have.
_FLAG_OF = {
    "autotuneValidationFile": "autotune-validation",
    "autotuneMetric": "autotune-metric",
    "autotunePredictions": "autotune-predictions",
    "autotuneDuration": "autotune-duration",
    "autotuneModelSize": "autotune-modelsize",
}
_FIELDS = {f"-{_FLAG_OF.get(f.name, f.name)}": f for f in fields(Flags) if f.name != "model"}
_OF_COMMAND: dict[str, dict[str, Any]] = {
    "supervised": {
        "model": model_name.supervised, "loss": loss_name.softmax, "minCount": 1, "minn": 0,
        "maxn": 0, "lr": 0.1,
    },
    "cbow": {"model": model_name.cbow},
}  # fmt: skip
_LOSSES = {**loss_name.__members__, "one-vs-all": loss_name.ova}
_HELP = {
    "mandatory": {
        "-input": "file to train on",
        "-output": "prefix of the files to write",
    },
    "optional": {"-verbose": "0 silent, 1 counts, 2 progress"},
    "optional, for words and n-grams": {
        "-minCount": "drop words that occur less often",
        "-minCountLabel": "drop labels that occur less often",
        "-wordNgrams": "longest run of words that is a feature",
        "-bucket": "hash buckets for n-grams",
        "-minn": "shortest character n-gram",
        "-maxn": "longest character n-gram; 0: none",
        "-t": "sampling threshold of frequent words",
        "-label": "what a label begins with",
    },
    "optional, for training": {
        "-lr": "learning rate at the start",
        "-lrUpdateRate": "kept for the model file, without effect",
        "-dim": "length of the vectors",
        "-ws": "largest distance of a context word",
        "-epoch": "passes over the text",
        "-neg": "negative samples",
        "-loss": "ns, hs; for classifiers also softmax, one-vs-all",
        "-thread": "threads; one gives the same model each time",
        "-pretrainedVectors": "vectors that words begin with",
        "-saveOutput": "write the rows of labels or contexts, too",
        "-seed": "seed of all random choices",
    },
    "optional, to search for the others": {
        "-autotune-validation": "file of texts by which trials are scored",
        "-autotune-metric": "f1, f1:<label>, precisionAtRecall:30, ...",
        "-autotune-predictions": "labels predicted for each text",
        "-autotune-duration": "seconds, at most",
        "-autotune-modelsize": "size of a .ftz file, such as 1M",
    },
    "optional, for quantization": {
        "-cutoff": "how many words and n-grams to keep; 0: all",
        "-retrain": "train on the rows that a cutoff leaves",
        "-qnorm": "code the lengths of rows apart",
        "-qout": "quantize the output matrix, too",
        "-dsub": "numbers that become one byte",
    },
}


def parse(command: str, arguments: list[str]) -> Flags:
    """The flags of a command, as fastText reads them.

    Raises
    ------
    UsageError
        For an unknown flag, one without its value, or a value that is not of its kind.
    """
    values = dict(_OF_COMMAND.get(command, {}))
    given: set[str] = set()
    rest = iter(arguments)
    for flag in rest:
        if not flag.startswith("-"):
            raise UsageError("Provided argument without a dash! Usage:" + help_of(command))
        if flag == "-h":
            raise UsageError("Here is the help! Usage:" + help_of(command))
        if flag not in _FIELDS:
            raise UsageError(f"Unknown argument: {flag}" + help_of(command))
        field = _FIELDS[flag]
        given.add(field.name)
        if field.type == "bool":
            values[field.name] = True
            continue
        value = next(rest, None)
        if value is None:
            raise UsageError(f"{flag} is missing an argument" + help_of(command))
        values[field.name] = _value(flag, field.type, value, command)
    flags = Flags(**values)
    flags.given = given
    if not flags.input or not flags.output:
        raise UsageError("Empty input or output path." + help_of(command))
    return flags


def integer(name: str, text: str) -> int:
    """A whole number of 32 bits."""
    try:
        number = int(text)
    except ValueError:
        number = 2**31
    if not -(2**31) <= number < 2**31:
        raise UsageError(f"{name} {text!r:.100}: a whole number of 32 bits is needed")
    return number


def real(name: str, text: str) -> float:
    """A number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise UsageError(f"{name} {text!r:.100}: a number is needed")
    return number


def _value(flag: str, kind: Any, text: str, command: str) -> Any:
    if kind == "int":
        return integer(flag, text)
    if kind == "float":
        return real(flag, text)
    if kind == "loss_name":
        if text not in _LOSSES:
            raise UsageError(f"Unknown loss: {text}" + help_of(command))
        return _LOSSES[text]
    return text


def help_of(command: str) -> str:
    """All flags with the defaults that they have for the command."""
    # Not of a Flags, which has no buckets where the command's other defaults need none.
    defaults = {f.name: f.default for f in fields(Flags)} | _OF_COMMAND.get(command, {})
    lines = [""]
    for title, flags in _HELP.items():
        lines += ["", f"The following arguments are {title}:"]
        for flag, what in flags.items():
            value = defaults[_FIELDS[flag].name]
            shown = value.name if isinstance(value, loss_name) else str(value).lower()
            lines.append(f"  {flag:22} {what}" + ("" if title == "mandatory" else f" [{shown}]"))
    return "\n".join(lines)
