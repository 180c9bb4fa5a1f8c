"""The models that a server has, by name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brasa.errors import ConfigError
from brasa.loading import load
from brasa.serving.http import HttpError
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from brasa.text_classifier import TextClassifier

Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class ServedModel:
    """One model.

    Attributes
    ----------
    name : str
    path : str
        Where it is loaded from.
    model : WordVectors or TextClassifier
    signature : tuple
        Inode, size and time of each of its files when it was opened: other ones mean that it was
        replaced.
    """

    name: str
    path: str
    model: WordVectors | TextClassifier
    signature: Signature

    @classmethod
    def open(cls, name: str, path: str) -> ServedModel:
        """Load a model. Raises what `brasa.load` raises."""
        signature = signature_of(path)  # before: a file replaced in between is noticed later
        return cls(name, path, load(path), signature)

    def describe(self) -> dict[str, Any]:
        """What ``GET /info`` says of it."""
        model = self.model
        if isinstance(model, WordVectors):
            counts = model.vocabulary.counts
            return {
                "name": self.name,
                "kind": "word_vectors",
                "words": len(model),
                "vector_dim": model.vector_dim,
                "subwords": bool(model.config.subwords),
                "labels": [],
                "has_counts": bool(len(counts) and counts[0] > 1),
            }
        vocabulary = model.model.vocabulary
        return {
            "name": self.name,
            "kind": "classifier",
            "words": len(vocabulary),
            "vector_dim": model.vector_dim,
            "subwords": model.model.max_char > 0,
            "labels": model.labels[:1000],
            "has_counts": bool(len(vocabulary) and vocabulary.counts[0] > 1),
        }


class Registry:
    """Models by name, in the order in which they were given; the first is the default."""

    def __init__(self, models: Iterable[ServedModel] = ()) -> None:
        self._models = {model.name: model for model in models}
        self._refused: dict[str, Signature] = {}  # files that were no model

    @classmethod
    def open(cls, arguments: Iterable[str]) -> Registry:
        """Load the models of the command line, ``PATH`` or ``NAME=PATH`` each.

        Raises
        ------
        ConfigError
            For two models of one name.
        """
        models: dict[str, ServedModel] = {}
        for argument in arguments:
            name, path = split_argument(argument)
            if name in models:
                raise ConfigError("model", name, "another name: NAME=PATH gives a model one")
            models[name] = ServedModel.open(name, path)
        return cls(models.values())

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(list(self._models.values()))

    def __len__(self) -> int:
        return len(self._models)

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def get(self, name: str | None) -> ServedModel:
        """A model by its name, or the first.

        Raises
        ------
        HttpError
            404 for a name that no model has.
        """
        if name is None and self._models:
            return next(iter(self._models.values()))
        found = self._models.get(name or "")
        if found is None:
            known = ", ".join(list(self._models)[:20]) or "none"
            raise HttpError(
                404, "unknown_model", f"there is no model named {name!r}; loaded: {known}"
            )
        return found

    def find(self, name: str) -> ServedModel | None:
        """A model by its name, if it is there."""
        return self._models.get(name)

    def add(self, model: ServedModel) -> bool:
        """Add a model, unless there is one of its name; whether it was added."""
        return self._models.setdefault(model.name, model) is model

    def put(self, model: ServedModel) -> None:
        """Add a model, or take it in place of another one of its name."""
        self._models[model.name] = model

    def remove(self, name: str) -> None:
        """Forget a model. Its memory is given back when the last request with it ends."""
        del self._models[self.get(name).name]

    def discard(self, name: str) -> None:
        """Forget a model, if it is there."""
        self._models.pop(name, None)

    def changed(self) -> list[ServedModel]:
        """Models whose files are no longer those that were opened, nor those that were refused."""
        found = []
        for model in self:
            signature = signature_of(model.path)
            if signature not in (model.signature, self._refused.get(model.name)):
                found.append(model)
        return found

    def refuse(self, name: str, signature: Signature) -> None:
        """Note files that could not be opened in a model's place, so that they are told once."""
        self._refused[name] = signature


def split_argument(argument: str) -> tuple[str, str]:
    """Name and path of ``NAME=PATH``, or of a path alone, whose last part is the name then."""
    name, equals, path = argument.partition("=")
    if equals and name and not os.path.exists(argument):
        return name, path
    resolved = Path(argument).resolve()
    name = resolved.name if resolved.is_dir() else resolved.stem
    return name or "model", argument


def signature_of(path: str) -> Signature:
    """Inode, size and time of a file, or of each file in a folder; nothing for what is missing."""
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        stats = [(entry.name, entry.stat()) for entry in entries if entry.is_file()]
    except NotADirectoryError:
        stats = [("", os.stat(path))]
    except OSError:
        return ()
    return tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
