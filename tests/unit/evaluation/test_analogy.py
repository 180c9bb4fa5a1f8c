from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from brasa import lookup
from brasa.errors import ConfigError, ModelFormatError
from brasa.evaluation import analogy, score_file
from brasa.evaluation.analogy import AnalogyResult, Tally

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings

QUESTIONS = """\
// word2vec's own file begins with a comment
: capitals
Paris France Rome Italy
Rome Italy Paris France
Rome Italy Berlin Germany
: gram1-plural
one ones two twos
two twos one ones
"""

WORDS = ["france", "paris", "italy", "rome", "one", "ones", "two", "twos", "noise"]
ROWS: list[list[float]] = [
    [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 1, 1, 0],
    [0, 0, 0, 1], [0, 0, -1, 1], [0, 0, 0.5, 0.1], [1, 1, 1, 1], [0, 1, 0, 0],
]  # fmt: skip


def test_each_section_and_the_totals(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    embeddings = make_embeddings(WORDS, subwords=False, vector_dim=4)
    embeddings.input[:] = ROWS
    (tmp_path / "questions.txt").write_text(QUESTIONS)
    result = score_file(embeddings, tmp_path / "questions.txt")
    capitals, plurals = Tally("capitals", 3, 2, 2), Tally("gram1-plural", 2, 2, 1)
    assert result == AnalogyResult(
        total=Tally("questions.txt", 5, 4, 3),
        semantic=Tally("semantic", 3, 2, 2),
        syntactic=Tally("syntactic", 2, 2, 1),
        sections=(capitals, plurals),
    )
    assert capitals.accuracy == 1.0
    assert plurals.accuracy == 0.5
    assert isinstance(result, AnalogyResult)
    assert result.to_dict()["sections"][0]["correct"] == 2


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("restrict_vocab", [None, 130, 1000])
def test_answers_are_those_of_a_plain_search(
    make_embeddings: MakeEmbeddings, subwords: bool, restrict_vocab: int | None
) -> None:
    words = [f"word{i}" for i in range(200)]
    embeddings = make_embeddings(words, subwords=subwords, vector_dim=6, padding=2)
    size = min(200, restrict_vocab or 200)
    questions = np.random.default_rng(0).integers(0, size, (50, 3)).astype(np.int32)
    rows = lookup.compose(embeddings, words)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = []
    for a, b, c in questions:
        scores = rows[:size] @ (rows[b] - rows[a] + rows[c])
        scores[[a, b, c]] = -np.inf
        expected.append(int(scores.argmax()))
    assert analogy.answer(embeddings, questions, size).tolist() == expected


def test_rare_words_are_left_out_when_asked(
    make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    embeddings = make_embeddings(WORDS, subwords=False, vector_dim=4)
    embeddings.input[:] = ROWS
    (tmp_path / "questions.txt").write_text(QUESTIONS)
    result = analogy.score(embeddings, tmp_path / "questions.txt", restrict_vocab=4)
    assert (result.total.found, result.total.correct) == (2, 2)
    cased = analogy.score(embeddings, tmp_path / "questions.txt", lowercase=False)
    assert (cased.total.found, cased.total.total) == (2, 5)
    for impossible in (0, -1, 2.5, True, "30000"):
        with pytest.raises(ConfigError, match="restrict_vocab"):
            analogy.score(
                embeddings,
                tmp_path / "questions.txt",
                restrict_vocab=impossible,  # type: ignore[arg-type]
            )


def test_a_file_of_which_nothing_is_known(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    (tmp_path / "questions.txt").write_text("a b c d\ne f g h\n")
    result = analogy.score(make_embeddings(), tmp_path / "questions.txt")
    assert result.total == Tally("questions.txt", 2, 0, 0)
    assert result.total.accuracy == 0.0
    assert result.semantic is None
    nothing = make_embeddings([], subwords=False)
    assert analogy.score(nothing, tmp_path / "questions.txt").total.found == 0


def test_a_question_without_direction_has_no_answer(make_embeddings: MakeEmbeddings) -> None:
    embeddings = make_embeddings(WORDS, subwords=False, vector_dim=4)
    embeddings.input[:] = ROWS
    embeddings.input[0] = 0
    questions = np.array([[1, 0, 1], [1, 2, 1]], np.int32)
    assert analogy.answer(embeddings, questions, len(WORDS))[0] == -1
    assert analogy.answer(embeddings, questions, len(WORDS))[1] >= 0


def test_words_without_direction_are_no_answers(
    make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    embeddings = make_embeddings(WORDS, subwords=False, vector_dim=4)
    embeddings.input[:] = ROWS
    embeddings.input[8] = np.nan
    embeddings.input[7] = 0
    (tmp_path / "questions.txt").write_text(QUESTIONS)
    result = analogy.score(embeddings, tmp_path / "questions.txt")
    assert result.semantic == Tally("semantic", 3, 2, 2)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (": section\na b c d\n", "analogy"),
        ("Athens Greece Oslo Norway\nOslo Norway Athens Greece", "analogy"),
        ("Athens Greece Oslo Norway", "analogy"),
        ("a\tb\tc\td\ne\tf\tg\th", "analogy"),
        ("a b 3\nc d 4", "similarity"),
        ("a\tb\t3", "similarity"),
        ("word1\tword2\tPOS\tscore\na\tb\tN\t3", "similarity"),
        ("Word 1,Word 2,Human (mean)\na,b,3", "similarity"),
    ],
)
def test_files_are_told_apart_by_content(
    make_embeddings: MakeEmbeddings, tmp_path: Path, text: str, kind: str
) -> None:
    (tmp_path / "file").write_text(text)
    assert score_file(make_embeddings(), tmp_path / "file").to_dict()["kind"] == kind


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (": a\na b c\n", "line 2: 3 words"),
        (": a\na b c d\na b c d e\n", "line 3: 5 words"),
        (": only sections\n", "without a question"),
        ("what is\nthis file\n", "line 2: neither"),
        ("one\n", "line 1: neither"),
    ],
)
def test_broken_files_are_refused_with_the_line(
    make_embeddings: MakeEmbeddings, tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "questions.txt").write_text(text)
    with pytest.raises(ModelFormatError, match=problem):
        score_file(make_embeddings(), tmp_path / "questions.txt")
