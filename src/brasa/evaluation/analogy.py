"""Word analogies: a is to b as c is to which word of the whole vocabulary?

3CosAdd of Mikolov et al. 2013 (b - a + c, vectors of length 1), without the question's own words
among the answers, as word2vec's compute-accuracy and gensim have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from brasa import lookup
from brasa.arguments import check_count
from brasa.evaluation.lines import broken, fold, read_lines
from brasa.neighbors import ExactScan, unit_rows

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from brasa.parameters import Embeddings

_SYNTACTIC = "gram"  # how compute-accuracy's sections of grammar are named


class Question(NamedTuple):
    """`a` is to `b` as `c` is to `d`, of one section of the file."""

    section: str
    words: tuple[str, str, str, str]


@dataclass(frozen=True)
class Tally:
    """Questions of one section or total: how many there are, have all words, were answered."""

    name: str
    total: int
    found: int
    correct: int

    @property
    def accuracy(self) -> float:
        """Share of the questions found that were answered; 0 when none was found."""
        return self.correct / self.found if self.found else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "name": self.name,
            "total_questions": self.total,
            "found": self.found,
            "correct": self.correct,
            "accuracy": self.accuracy,
        }


@dataclass(frozen=True)
class AnalogyResult:
    """Score of a model on an analogy file.

    Attributes
    ----------
    total : Tally
        All questions; its name is the file's.
    semantic, syntactic : Tally or None
        Sections apart, when the file has sections whose names begin with "gram".
    sections : tuple of Tally
    """

    total: Tally
    semantic: Tally | None
    syntactic: Tally | None
    sections: tuple[Tally, ...]

    @property
    def name(self) -> str:
        """File name of the questions."""
        return self.total.name

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "kind": "analogy",
            **self.total.to_dict(),
            "semantic": self.semantic.to_dict() if self.semantic else None,
            "syntactic": self.syntactic.to_dict() if self.syntactic else None,
            "sections": [section.to_dict() for section in self.sections],
        }


def score(
    embeddings: Embeddings,
    path: str | os.PathLike[str],
    *,
    lowercase: bool = True,
    restrict_vocab: int | None = None,
) -> AnalogyResult:
    """Answer the questions of a file; those with a word not in the vocabulary are left out.

    Parameters
    ----------
    embeddings : Embeddings
    path : path
        See `read_questions`.
    lowercase : bool
        Bring the questions to lower case first.
    restrict_vocab : int, optional
        Use only this many of the most frequent words, in questions and answers (compute-accuracy's
        threshold, often 30,000). Default: all.
    """
    size = len(embeddings.vocabulary)
    if restrict_vocab is not None:
        size = min(size, check_count("restrict_vocab", restrict_vocab))
    questions = read_questions(path)
    words = [fold(word, lowercase) for question in questions for word in question.words]
    indices = embeddings.vocabulary.indices(words).reshape(-1, 4)
    inside: npt.NDArray[np.bool_] = (indices >= 0) & (indices < size)
    found = np.logical_and.reduce(inside, axis=1)
    correct = np.zeros(len(questions), np.bool_)
    correct[found] = answer(embeddings, indices[found, :3], size) == indices[found, 3]
    return _tally(Path(path).name, [q.section for q in questions], found, correct)


def answer(
    embeddings: Embeddings, questions: npt.NDArray[np.int32], size: int
) -> npt.NDArray[np.int64]:
    """The best word among the first `size` for each row (a, b, c) of `questions`; -1: none."""
    vectors = lookup.compose_words(embeddings, 0, size)
    words, places = np.unique(questions, return_inverse=True)
    directions = unit_rows(vectors[words])
    a, b, c = (directions[places.reshape(questions.shape)[:, i]] for i in range(3))
    queries = b - a + c
    asked = np.flatnonzero(queries.any(axis=1))
    best = np.full(len(questions), -1, np.int64)
    if len(asked):
        hits = ExactScan(vectors).search(queries[asked], 1, exclude=questions[asked].tolist())
        best[asked] = hits.rows[:, 0]
    return best


def read_questions(path: str | os.PathLike[str]) -> list[Question]:
    """Read four words a line, in sections that a line ``: name`` begins.

    Raises
    ------
    ModelFormatError
        For a line with other than four words.
    """
    section, questions = "", []
    for number, line in read_lines(path):
        if line.startswith(":"):
            section = line[1:].strip()
            continue
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if len(words) != 4:
            raise broken(path, number, f"{len(words)} words, an analogy has 4: {line[:200]}")
        questions.append(Question(section, (words[0], words[1], words[2], words[3])))
    if not questions:
        raise broken(path, number, "the file ends without a question")
    return questions


def _tally(
    name: str,
    sections: list[str],
    found: npt.NDArray[np.bool_],
    correct: npt.NDArray[np.bool_],
) -> AnalogyResult:
    labels = np.array(sections)

    def count(label: str, members: Iterable[str]) -> Tally:
        mask = np.isin(labels, list(members))
        return Tally(label, int(mask.sum()), int((mask & found).sum()), int((mask & correct).sum()))

    names = list(dict.fromkeys(sections))
    grammar = [section for section in names if section.startswith(_SYNTACTIC)]
    meaning = [section for section in names if section not in grammar]
    return AnalogyResult(
        total=count(name, names),
        semantic=count("semantic", meaning) if grammar else None,
        syntactic=count("syntactic", grammar) if grammar else None,
        sections=tuple(count(section, [section]) for section in names),
    )
