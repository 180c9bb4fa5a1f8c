"""Lines, tokens, names and numbers as the module `fasttext` takes and gives them."""

from __future__ import annotations

import numbers
import operator
import os
import re
from typing import TYPE_CHECKING, Any

from brasa.errors import ConfigError
from brasa.fasttext.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

EOS = "</s>"
BOW = "<"
EOW = ">"

# Bytes that end a token; other Unicode spaces are part of it.
_TOKEN = re.compile("\\n|[^ \\n\\r\\t\\v\\f\\0]+")


def tokenize(text: str) -> list[str]:
    """Split a text at white space; each line end is the token ``</s>``."""
    return [EOS if token == "\n" else token for token in _TOKEN.findall(string(text))]


def line_tokens(line: str) -> list[str]:
    """The tokens of one line, up to the end of the line or a ``</s>`` in it."""
    tokens = tokenize(line + "\n")
    return tokens[: tokens.index(EOS) + 1]


def string(value: Any) -> str:
    """A `str`, or UTF-8 `bytes`, as `str`; what is no text is refused."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        raise ArgumentError(f"{value!r:.100} is of type {type(value).__name__}: pass a str")
    if not value.isascii():
        try:
            value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise ConfigError("text", value, "text: it has a lone surrogate") from None
    return value


def line(value: Any, caller: str = "predict") -> str:
    """A text of one line."""
    text = string(value)
    if "\n" in text:
        raise ConfigError("text", text, f"one line: {caller} processes one line at a time "
                          "(remove '\\n')")  # fmt: skip
    return text


def path(value: Any) -> str:
    """The name of a file."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise ArgumentError(f"{value!r:.100} is no path: pass a str or a pathlib.Path")
    return os.fsdecode(value)


def whole(name: str, value: Any) -> int:
    """A whole number; what is none is refused."""
    try:
        return operator.index(value)
    except TypeError:
        raise _wrong_type(name, value, "a whole number") from None


def number(name: str, value: Any) -> float:
    """A number; what is none is refused."""
    if not isinstance(value, numbers.Real):
        raise _wrong_type(name, value, "a number")
    return float(value)


def decoded(names: Sequence[str], on_unicode_error: str) -> list[str]:
    """Names with what is not UTF-8 treated as `bytes.decode` has it: strict, replace, ignore."""
    try:
        "\n".join(names).encode()
    except UnicodeEncodeError:
        return [name.encode("utf-8", "surrogateescape").decode("utf-8", on_unicode_error)
                for name in names]  # fmt: skip
    return list(names)


def _wrong_type(name: str, value: object, wanted: str) -> ArgumentError:
    return ArgumentError(f"{name}={value!r:.100} is of type {type(value).__name__}: pass {wanted}")
