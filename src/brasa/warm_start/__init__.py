"""What training starts from when it is not random numbers: a model, or pretrained vectors.

Of word vectors `pretrained` (`WordVectors.train`), `continued` and `resumed`
(`WordVectors.continue_training`), with `base` under them; `classifier` is that of
`TextClassifier.train_on`.
"""

from brasa.warm_start.base import StartedFrom, WarmStart
from brasa.warm_start.classifier import (
    ClassifierCheckpoint,
    ClassifierResumption,
    ClassifierStart,
    continued_classifier,
    resumed_classifier,
)
from brasa.warm_start.continued import continued, resumed
from brasa.warm_start.pretrained import pretrained

__all__ = [
    "ClassifierCheckpoint",
    "ClassifierResumption",
    "ClassifierStart",
    "StartedFrom",
    "WarmStart",
    "continued",
    "continued_classifier",
    "pretrained",
    "resumed",
    "resumed_classifier",
]
