from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brasa import lookup
from brasa.errors import ConfigError, DivergenceError, ModelFormatError, StorageError
from brasa.evaluation import score_file, similarity
from brasa.evaluation.similarity import SimilarityResult, spearman

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        # Hours of television and intelligence: Wikipedia's example, -29/165.
        ([106, 100, 86, 101, 99, 103, 97, 113, 112, 110],
         [7, 27, 2, 50, 28, 29, 20, 12, 6, 17], -29 / 165),
        ([1, 2, 2, 4], [1, 3, 2, 4], math.sqrt(0.9)),  # ties: ranks 1, 2.5, 2.5, 4
        ([1, 1, 2, 2], [1, 2, 1, 2], 0.0),
        ([3, 1, 2], [30, 10, 20], 1.0),
        ([1, 2, 3], [-1, -2, -3], -1.0),
        ([5, 5, 5], [1, 2, 3], 0.0),  # not defined: a constant has no ranks
        ([1], [2], 0.0),
        ([], [], 0.0),
    ],
)  # fmt: skip
def test_spearman_of_known_samples(x: list[float], y: list[float], expected: float) -> None:
    assert spearman(x, y) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=40))
def test_spearman_depends_on_ranks_only(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(column, np.float64) for column in zip(*pairs, strict=True))
    rho = spearman(x, y)
    assert -1 - 1e-12 <= rho <= 1 + 1e-12
    assert spearman(y, x) == pytest.approx(rho, abs=1e-12)
    assert spearman(np.exp(x), y**3) == pytest.approx(rho, abs=1e-12)
    assert spearman(-x, y) == pytest.approx(-rho, abs=1e-12)


TABLE = (
    "The\tFire\t3.5\nfire\tember\t8\nember\tembers\t9.5\nAÇÃO\tbrasa\t1\nbrasa\tember\t9\n"
    "xyzzy\tfire\t2\nfire\tember\t1\nembersome\tfire\t7\nbrasa\tbrasa\t10\n"
)


def slow_rho(vectors: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]], table: str) -> float:
    """eval-word-vectors step by step, with quadratic ranks."""

    def ranks(scores: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
        ordered = sorted(scores.values(), reverse=True)
        places = {v: [i + 1 for i, w in enumerate(ordered) if w == v] for v in ordered}
        return {pair: sum(places[v]) / len(places[v]) for pair, v in scores.items()}

    human, model = {}, {}
    for line in table.strip().lower().split("\n"):
        first, second, value = line.split("\t")
        if first in vectors and second in vectors:
            a, b = vectors[first] + 1e-6, vectors[second] + 1e-6
            human[first, second] = float(value)
            model[first, second] = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    x, y = (np.array(list(ranks(scores).values())) for scores in (human, model))
    return float(np.corrcoef(x, y)[0, 1])


@pytest.mark.parametrize("subwords", [False, True])
def test_a_table_is_scored_as_eval_word_vectors_does(
    make_embeddings: MakeEmbeddings, tmp_path: Path, subwords: bool
) -> None:
    embeddings = make_embeddings(subwords=subwords)
    (tmp_path / "table.txt").write_text(TABLE, encoding="utf-8")
    words = embeddings.vocabulary.words
    rows = lookup.compose(embeddings, words).astype(np.float64)
    rows /= np.sqrt((rows**2).sum(axis=1, keepdims=True) + 1e-6)
    result = similarity.score(embeddings, tmp_path / "table.txt")
    rho = slow_rho(dict(zip(words, rows, strict=True)), TABLE)
    assert result.spearmans_rho == pytest.approx(rho, abs=1e-9)
    assert result == SimilarityResult("table.txt", result.spearmans_rho, 9, 2, 0)
    assert result.found == 7
    assert result.to_dict()["found"] == 7


def test_unseen_words_count_when_asked_for(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    (tmp_path / "table.txt").write_text(TABLE, encoding="utf-8")
    result = similarity.score(make_embeddings(), tmp_path / "table.txt", oov="subwords")
    assert result.not_found == 1  # xyzzy: no n-gram of it was seen
    assert result.unseen_pairs == 1
    with pytest.raises(ConfigError, match="no subwords"):
        similarity.score(make_embeddings(subwords=False), tmp_path / "table.txt", oov="subwords")
    with pytest.raises(ConfigError, match="oov"):
        similarity.score(make_embeddings(), tmp_path / "table.txt", oov="guess")  # type: ignore[arg-type]


def test_words_may_keep_their_case(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    embeddings = make_embeddings(["Jerusalem", "Israel"], subwords=False)
    (tmp_path / "table.txt").write_text("Jerusalem Israel 8.46")
    assert similarity.score(embeddings, tmp_path / "table.txt").found == 0
    assert similarity.score(embeddings, tmp_path / "table.txt", lowercase=False).found == 1


@pytest.mark.parametrize(
    "text",
    [
        "fogo\tbrasa\t8.5\nsem data\tnão datável\t6.25\n",
        "fogo,brasa,8.5\r\nsem data,não datável,6.25\r\n",
        '"fogo","brasa","8.5"\n"sem data", "não datável", 6.25',
        "\ufeffWord 1,Word 2,Human (mean)\nfogo,brasa,8.5\nsem data,não datável,6.25",
        "word1\tword2\tPOS\tSimLex999\nfogo\tbrasa\tN\t8.5\nsem data\tnão datável\tA\t6.25",
        "# a comment\n\nfogo\tbrasa\t8,5\t1\t2\nsem data\tnão datável\t6,25\t7\t8\n\n",
    ],
)
def test_tables_of_any_form(tmp_path: Path, text: str) -> None:
    (tmp_path / "table").write_bytes(text.encode())
    assert similarity.read_pairs(tmp_path / "table") == [
        ("fogo", "brasa", 8.5),
        ("sem data", "não datável", 6.25),
    ]


def test_a_table_between_spaces(tmp_path: Path) -> None:
    (tmp_path / "table").write_text("word1 word2 score\nfogo  brasa 8.5\n")
    assert similarity.read_pairs(tmp_path / "table") == [("fogo", "brasa", 8.5)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no line of data"),
        (b"\n\n# only a comment\n", "no line of data"),
        (b"a\tb\t1\na\tb\n", "line 2"),
        (b"a\tb\t1\n\na\tb\tmuch\n", "line 3"),
        (b"a\tb\t1\na\t\t2\n", "line 2"),
        (b"a\tb\t1\na\tb\tnan\n", "line 2"),
        (b"a\tb\t1\na\tb\tinf\n", "line 2"),
        (b"a\tb\t1\n\xff\xfe\tb\t2\n", "line 2: not UTF-8"),
        (b"a\tb\t1\na\0\tb\t2\n", "line 2: a NUL"),
        (b"head\tof\ttable\n", "line 1"),
        (b"head\tof\ttable\nneither\tis\tthis\n", "line 2"),
        (b'a,b,1\n"a"b,c,2\n', "line 2"),
        (b'a,b,1\n"a,b,2\n', "line 2"),
    ],
)
def test_broken_tables_are_refused_with_the_line(
    make_embeddings: MakeEmbeddings, tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "table.tsv").write_bytes(content)
    with pytest.raises(ModelFormatError, match=problem) as caught:
        similarity.score(make_embeddings(), tmp_path / "table.tsv")
    assert "table.tsv" in str(caught.value)


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any bytes"
    path.write_bytes(content)
    try:
        pairs = similarity.read_pairs(path)
    except ModelFormatError:
        return
    assert all(pair.first and pair.second and math.isfinite(pair.score) for pair in pairs)


def test_files_that_cannot_be_read(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path, "nul\0byte"):
        with pytest.raises(StorageError):
            score_file(make_embeddings(), path)


def test_a_diverged_model_is_not_scored(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    embeddings = make_embeddings(subwords=False)
    embeddings.input[2] = np.nan
    (tmp_path / "table.txt").write_text(TABLE, encoding="utf-8")
    with pytest.raises(DivergenceError):
        similarity.score(embeddings, tmp_path / "table.txt")
