"""Word vectors and text classifiers at the speed of the hardware.

>>> vectors = brasa.WordVectors.train("corpus.txt", mode="skipgram", subwords=True)
>>> vectors.neighbors("awesome")
>>> vectors.save("model")
>>> vectors = brasa.load("model")
>>> classifier = brasa.TextClassifier.train("labeled.txt", word_ngrams=2)
>>> classifier.predict("a text", k=2)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from brasa.version import VERSION

if TYPE_CHECKING:
    from brasa.config import TextClassifierConfig, TextOptions, WordVectorsConfig
    from brasa.corpus import Corpus
    from brasa.errors import (
        BrasaError,
        ConfigError,
        CorpusError,
        ModelFormatError,
        StorageError,
        UnknownWordError,
    )
    from brasa.loading import load
    from brasa.text_classifier import TextClassifier
    from brasa.word_vectors import WordVectors

__all__ = [
    "BrasaError",
    "ConfigError",
    "Corpus",
    "CorpusError",
    "ModelFormatError",
    "StorageError",
    "TextClassifier",
    "TextClassifierConfig",
    "TextOptions",
    "UnknownWordError",
    "WordVectors",
    "WordVectorsConfig",
    "load",
]

_MODULES = {
    "Corpus": "corpus",
    "TextClassifier": "text_classifier",
    "TextClassifierConfig": "config",
    "TextOptions": "config",
    "WordVectors": "word_vectors",
    "WordVectorsConfig": "config",
    "load": "loading",
}  # of the names above; of all others errors


# What is asked for is imported then: `brasa --help` takes 0.06 s, with NumPy and the models 0.23.
def __getattr__(name: str) -> Any:
    if name == "__version__":
        return VERSION
    if name in __all__:
        value = getattr(importlib.import_module(f"brasa.{_MODULES.get(name, 'errors')}"), name)
        globals()[name] = value
        return value
    if not name.startswith("__"):
        try:
            return importlib.import_module(f"brasa.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"brasa.{name}":
                raise
    raise AttributeError(f"module 'brasa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
