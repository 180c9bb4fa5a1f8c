"""How good word vectors are: word similarity and analogies, in any language."""

from __future__ import annotations

from brasa.evaluation.report import score_file, wordsim353

__all__ = ["score_file", "wordsim353"]
