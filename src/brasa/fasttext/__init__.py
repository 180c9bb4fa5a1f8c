"""A drop-in for the module `fasttext` 0.9.2: ``from brasa import fasttext``.

What is the same and what is not: `docs/fasttext.md`.
"""

from brasa.fasttext import FastText, util
from brasa.fasttext.FastText import (
    BOW,
    EOS,
    EOW,
    cbow,
    load_model,
    skipgram,
    supervised,
    tokenize,
    train_supervised,
    train_unsupervised,
)

# That of the module whose interface this is.
__version__ = "0.9.2"

__all__ = [
    "BOW",
    "EOS",
    "EOW",
    "FastText",
    "cbow",
    "load_model",
    "skipgram",
    "supervised",
    "tokenize",
    "train_supervised",
    "train_unsupervised",
    "util",
]
