"""Word vectors and text classifiers at the speed of the hardware.

>>> vectors = brasa.WordVectors.train("corpus.txt", mode="skipgram", subwords=True)
>>> vectors.neighbors("awesome")
>>> vectors.save("model")
>>> vectors = brasa.load("model")
>>> classifier = brasa.TextClassifier.train("labeled.txt", word_ngrams=2)
>>> classifier.predict("a text", k=2)
"""

from __future__ import annotations

from typing import Any

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


def __getattr__(name: str) -> Any:
    if name == "__version__":  # 30 ms that few processes need
        from importlib.metadata import version

        return version("brasa")
    raise AttributeError(f"module 'brasa' has no attribute {name!r}")
