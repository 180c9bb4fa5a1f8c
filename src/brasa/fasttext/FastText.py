"""`fasttext.FastText`: where programs find `_FastText` and what belongs to it."""

import sys
from typing import Any, NoReturn

from brasa.fasttext.arguments import loss_name, model_name, read_args
from brasa.fasttext.meter import _Meter
from brasa.fasttext.model import _FastText
from brasa.fasttext.text import BOW, EOS, EOW, tokenize
from brasa.fasttext.training import train_supervised, train_unsupervised, unsupervised_default

__all__ = [
    "BOW",
    "EOS",
    "EOW",
    "_FastText",
    "_Meter",
    "cbow",
    "displayed_errors",
    "eprint",
    "load_model",
    "loss_name",
    "model_name",
    "read_args",
    "skipgram",
    "supervised",
    "tokenize",
    "train_supervised",
    "train_unsupervised",
    "unsupervised_default",
]

displayed_errors: dict[str, Any] = {}


def eprint(*args: Any, **kwargs: Any) -> None:
    """Print on standard error; nothing here calls it, but programs replace it."""
    print(*args, file=sys.stderr, **kwargs)


def load_model(path: Any) -> _FastText:
    """Open a model file, also one of brasa's own.

    Raises
    ------
    FileError, ModelFormatError
        Both `ValueError`: there is nothing to read at `path`, or it is not a model.
    """
    return _FastText(model_path=path)


def cbow(*kargs: Any, **kwargs: Any) -> NoReturn:
    """Gone since fastText 0.9: raises."""
    raise Exception("cbow is gone: use train_unsupervised(model='cbow')")


def skipgram(*kargs: Any, **kwargs: Any) -> NoReturn:
    """Gone since fastText 0.9: raises."""
    raise Exception("skipgram is gone: use train_unsupervised(model='skipgram')")


def supervised(*kargs: Any, **kwargs: Any) -> NoReturn:
    """Gone since fastText 0.9: raises."""
    raise Exception("supervised is gone: use train_supervised")
