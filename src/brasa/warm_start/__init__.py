"""What training starts from when it is not random numbers: a model, or pretrained vectors."""

from brasa.warm_start.base import StartedFrom, WarmStart
from brasa.warm_start.continued import continued, resumed
from brasa.warm_start.pretrained import pretrained

__all__ = ["StartedFrom", "WarmStart", "continued", "pretrained", "resumed"]
