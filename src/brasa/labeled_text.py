"""Texts with labels, from wherever they are, as lines with their labels in them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from brasa.arguments import is_whole
from brasa.config import TextOptions
from brasa.corpus import Corpus
from brasa.errors import ConfigError, CorpusError
from brasa.lines import ITERABLE

_PIECE_BYTES = 1 << 20
_MAX_LINE_BYTES = 1 << 30


def labeled_corpus(
    source: Any,
    label_prefix: str,
    *,
    labels: Iterable[Any] | None = None,
    text_options: TextOptions | None = None,
) -> Corpus:
    """The corpus of whatever holds labeled texts.

    Parameters
    ----------
    source : Corpus, path, list of paths, or iterable
        As for `Corpus`, lines with their labels in them; or an iterable of pairs (text, labels),
        labels being one label or a list, with or without the prefix; `int` labels are written
        as numbers.
    label_prefix : str
    labels : iterable, optional
        The labels of each text, in the same form; `source` is then an iterable of texts.
    text_options : TextOptions, optional
        Lower-casing and Unicode normalization, of labels too.

    Raises
    ------
    ConfigError
        When there are text options for a `Corpus`, which has its own.
    CorpusError
        For a source that is none of these. Items are looked at while they are read.
    """
    if isinstance(source, Corpus):
        if text_options is not None:
            raise ConfigError("text_options", text_options, "those of the corpus")
        if labels is None:
            return source
        raise ConfigError("labels", "given", "in the lines of a Corpus")
    if labels is not None:
        source = _paired(source, labels)
    elif hasattr(source, "columns"):
        frame = type(source).__name__
        raise CorpusError(f"a {frame}: name its columns, LabeledTable({frame}, text=, label=)")
    elif _is_plain(source):
        return Corpus(source, text_options)
    return Corpus(_lines(source, label_prefix), text_options)


def held_out(validation: Any, label_prefix: str, text_options: TextOptions | None) -> Corpus:
    """The corpus of validation texts: a pair of lists is texts and labels.

    Anything else is what `labeled_corpus`, which raises what this raises, takes alone.
    """
    is_pair = isinstance(validation, tuple) and len(validation) == 2
    if is_pair and not any(isinstance(part, (str, os.PathLike)) for part in validation):
        texts, labels = validation
        if not isinstance(texts, tuple):
            return labeled_corpus(texts, label_prefix, labels=labels, text_options=text_options)
    return labeled_corpus(validation, label_prefix, text_options=text_options)


def _is_plain(source: Any) -> bool:
    """Whether there are no pairs in it: a path, lines, or what is refused."""
    if isinstance(source, (str, os.PathLike, bytes, Mapping)) or not isinstance(source, Iterable):
        return True
    return isinstance(source, (list, tuple)) and not (source and isinstance(source[0], tuple))


def text_pieces(corpus: Corpus) -> Iterator[bytes]:
    """The text of a corpus in pieces of whole lines, of about a megabyte.

    Raises
    ------
    CorpusError
        For a line of more than a gigabyte; and what reading raises.
    """
    for source, pieces in corpus.sources():
        waiting: list[bytes] = []
        size = 0
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size < _PIECE_BYTES or b"\n" not in piece:
                if size > _MAX_LINE_BYTES:
                    raise CorpusError("a line of more than a gigabyte", source=source)
                continue
            whole, rest = b"".join(waiting).rsplit(b"\n", 1)
            yield whole + b"\n"
            waiting, size = [rest], len(rest)
        if size:
            yield b"".join(waiting)


def _paired(texts: Any, labels: Any) -> Iterator[tuple[Any, Any]]:
    for name, values in (("texts", texts), ("labels", labels)):
        if isinstance(values, (str, bytes, os.PathLike)) or not isinstance(values, Iterable):
            raise ConfigError(name, values, "one for each text, in a list or another iterable")
    missing = object()
    both = itertools.zip_longest(texts, labels, fillvalue=missing)
    for number, (text, label) in enumerate(both, 1):
        if text is missing or label is missing:
            which = "text" if text is missing else "label"
            raise _broken(number, f"there is no {which}: texts and labels are not equally many")
        yield text, label


def _lines(items: Iterable[Any], prefix: str) -> Iterator[Any]:
    for number, item in enumerate(items, 1):
        if not isinstance(item, tuple):
            yield item
            continue
        if len(item) != 2 or not isinstance(item[0], str):
            raise _broken(number, f"{item!r:.100} is no pair of a text and its labels")
        text, labels = item
        several = labels if isinstance(labels, (list, tuple, set, frozenset)) else [labels]
        tokens = [_token(label, prefix, number) for label in several]
        # A line end inside a text would divide it.
        yield " ".join(itertools.chain(tokens, text.split()))


def _token(label: Any, prefix: str, number: int) -> str:
    if not is_whole(label) and not isinstance(label, str):
        raise _broken(number, f"the label {label!r:.100} is neither a str nor an int")
    name = str(label)
    if not name or len(name.split()) != 1 or name != name.strip():
        raise _broken(number, f"the label {name!r:.100} is empty or has white space in it")
    return name if name.startswith(prefix) else prefix + name


def _broken(number: int, problem: str) -> CorpusError:
    return CorpusError(problem, source=ITERABLE, line=number)
