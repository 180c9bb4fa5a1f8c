"""Pictures for a page or a paper, drawn by Matplotlib: PNG, SVG or PDF."""

from brasa.plotting.curves import loss_picture, precision_recall_picture
from brasa.plotting.figure import SUFFIXES, check_suffix
from brasa.plotting.words import similarity_picture, words_picture

__all__ = [
    "SUFFIXES",
    "check_suffix",
    "loss_picture",
    "precision_recall_picture",
    "similarity_picture",
    "words_picture",
]
