from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa.errors import ConfigError, ModelFormatError
from brasa.formats import fasttext
from brasa.formats.fasttext.sizes import Quantization
from brasa.parameters import Classifier, FastTextDetails, QuantizedMatrix
from brasa.quantization import (
    keep_largest_rows,
    largest_cutoff,
    quantize_classifier,
    quantize_matrix,
)

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.parameters import Embeddings
    from conftest import MakeClassifier

Matrix = Any


def rows_of(model: Classifier | Embeddings, matrix: str = "input") -> Matrix:
    """Its rows, decoded where they are codes."""
    rows = getattr(model, matrix)
    return rows.decode() if isinstance(rows, QuantizedMatrix) else rows


def normal(n_rows: int, dim: int, seed: int = 1) -> Matrix:
    return np.random.default_rng(seed).normal(size=(n_rows, dim)).astype(np.float32)


def books(found: QuantizedMatrix, matrix: Matrix) -> list[tuple[Matrix, Matrix, Matrix]]:
    """For each part: its 256 centroids, its points, their codes."""
    dim, step = matrix.shape[1], found.quantizer.part_dim
    parts = []
    for part, start in enumerate(range(0, dim, step)):
        stop = min(start + step, dim)
        book = found.quantizer.centroids[256 * start : 256 * stop].reshape(256, stop - start)
        parts.append((book, matrix[:, start:stop], found.codes[:, part]))
    return parts


def squared_distances(points: Matrix, book: Matrix) -> Matrix:
    return ((points[:, None, :].astype(np.float64) - book) ** 2).sum(axis=2)


def k_means(points: Matrix, iterations: int, seed: int) -> Matrix:
    """The plain algorithm, from 256 of the points."""
    rng = np.random.default_rng(seed)
    book = points[rng.permutation(len(points))[:256]].astype(np.float64)
    for _ in range(iterations):
        codes = squared_distances(points, book).argmin(axis=1)
        for code in np.unique(codes):
            book[code] = points[codes == code].mean(axis=0)
    return book


@pytest.mark.parametrize(
    ("dim", "dsub"), [(1, 1), (2, 2), (7, 1), (7, 2), (7, 3), (7, 7), (300, 64)]
)
def test_codes_are_the_nearest_centroids(dim: int, dsub: int) -> None:
    matrix = normal(600, dim)
    found = quantize_matrix(matrix, dsub=dsub)
    assert found.codes.shape == (600, math.ceil(dim / dsub))
    for book, points, codes in books(found, matrix):
        distances = squared_distances(points, book)
        chosen = distances[np.arange(600), codes]
        np.testing.assert_allclose(chosen, distances.min(axis=1), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("dim", "dsub"), [(1, 1), (7, 2), (7, 3)])
def test_centroids_are_the_means_of_their_points(dim: int, dsub: int) -> None:
    """Of 600 points k-means has found its end before the 25th iteration."""
    matrix = normal(600, dim)
    for book, points, codes in books(quantize_matrix(matrix, dsub=dsub), matrix):
        means = [points[codes == code].mean(axis=0, dtype=np.float64) for code in range(256)]
        np.testing.assert_allclose(book, means, rtol=1e-5, atol=1e-6)


def test_the_error_is_that_of_plain_k_means() -> None:
    points = normal(3000, 2)
    found = quantize_matrix(points, dsub=2)
    error = ((points - found.decode()) ** 2).sum()
    plain = [
        squared_distances(points, k_means(points, 25, seed)).min(axis=1).sum() for seed in range(3)
    ]
    assert 0.97 * min(plain) < error < 1.03 * max(plain)


def test_256_rows_come_back_as_they_are() -> None:
    matrix = normal(256, 10)
    np.testing.assert_array_equal(quantize_matrix(matrix, dsub=3).decode(), matrix)


def test_fewer_different_rows_than_centroids() -> None:
    """Centroids without points become the twins of others."""
    matrix = np.tile(normal(10, 4), (60, 1))
    np.testing.assert_allclose(quantize_matrix(matrix).decode(), matrix, atol=1e-5)
    zeros = np.zeros((300, 4), np.float32)
    for qnorm in (False, True):
        np.testing.assert_allclose(quantize_matrix(zeros, qnorm=qnorm).decode(), 0, atol=1e-4)


def test_more_rows_than_k_means_looks_at() -> None:
    matrix = normal(70_000, 2)
    found = quantize_matrix(matrix)
    assert len(np.unique(found.codes)) == 256
    error = ((matrix - found.decode()) ** 2).sum() / (matrix**2).sum()
    assert error < 0.01  # 256 cells of equal area in a circle of radius 3 would give 0.007
    again = quantize_matrix(matrix)
    np.testing.assert_array_equal(found.codes, again.codes)
    np.testing.assert_array_equal(found.quantizer.centroids, again.quantizer.centroids)


def test_padded_rows_are_rows() -> None:
    wide = normal(300, 16)
    narrow = quantize_matrix(wide[:, :7])
    np.testing.assert_array_equal(narrow.codes, quantize_matrix(wide[:, :7].copy()).codes)


def test_norms_are_coded_apart() -> None:
    directions = np.tile(normal(200, 6), (5, 1))
    matrix = directions * np.repeat(np.geomspace(1e-3, 1e3, 5), 200)[:, None].astype(np.float32)
    matrix[17] = 0
    found = quantize_matrix(matrix, qnorm=True)
    assert found.norm_codes is not None
    lengths = np.linalg.norm(matrix, axis=1)
    decoded = found.decode()
    np.testing.assert_array_equal(decoded[17], np.zeros(6))
    rows = np.flatnonzero(lengths > 1)
    relative = np.linalg.norm(decoded - matrix, axis=1)[rows] / lengths[rows]
    assert np.median(relative) < 0.1


@pytest.mark.parametrize("n_rows", [0, 1, 255])
def test_too_few_rows(n_rows: int) -> None:
    with pytest.raises(ConfigError, match=f"rows of the matrix={n_rows} .* must be 256 or more"):
        quantize_matrix(normal(n_rows, 4))


@pytest.mark.parametrize("dsub", [0, -1, 5, 2.0, None, True])
def test_impossible_parts(dsub: Any) -> None:
    with pytest.raises(ConfigError, match=r"dsub.* between 1 and the length of the vectors, 4"):
        quantize_matrix(normal(300, 4), dsub=dsub)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(value: float, make_classifier: MakeClassifier) -> None:
    matrix = normal(300, 4)
    matrix[123, 2] = value
    with pytest.raises(ModelFormatError, match="matrix: row 123 has numbers that are not finite"):
        quantize_matrix(matrix)
    classifier = make_classifier()
    rows_of(classifier)[44, 1] = value
    settings: list[dict[str, Any]] = [{}, {"cutoff": 300}, {"max_bytes": 90000}]
    for arguments in settings:
        with pytest.raises(ModelFormatError, match="input matrix: row 44 has"):
            quantize_classifier(classifier, **arguments)


def test_large_numbers_have_squares() -> None:
    matrix = normal(300, 4)
    found = quantize_matrix(matrix * np.float32(1e14), qnorm=True).decode()
    assert np.linalg.norm(found / 1e14 - matrix) < 0.1 * np.linalg.norm(matrix)
    with pytest.raises(ModelFormatError, match=r"row \d+ has numbers that are .* above 1e\+15"):
        quantize_matrix(matrix * np.float32(1e16))


def reference_rows(classifier: Classifier, cutoff: int) -> list[int]:
    """fastText's order: that of the line's end, then by length; ids of rows, words' ascending."""
    norms = np.linalg.norm(np.asarray(classifier.input, np.float64), axis=1)
    line_end = classifier.vocabulary.index("</s>")
    return sorted(range(len(norms)), key=lambda i: (i != line_end, -norms[i]))[:cutoff]


@pytest.mark.parametrize("in_order", [True, False])
def test_the_largest_rows_stay(make_classifier: MakeClassifier, in_order: bool) -> None:
    rows = None if in_order else np.random.default_rng(3).permutation(90).astype(np.int32)
    classifier = make_classifier(bucket_rows=rows)
    every = rows_of(classifier)
    every[1] = 0  # of </s>, which stays all the same
    smaller = keep_largest_rows(classifier, 256)
    wanted = reference_rows(classifier, 256)
    words = sorted(row for row in wanted if row < 400)
    assert 1 in words
    assert smaller.vocabulary.words == [classifier.vocabulary.words[i] for i in words]
    assert smaller.vocabulary.counts.tolist() == classifier.vocabulary.counts[words].tolist()
    assert smaller.vocabulary.n_tokens == classifier.vocabulary.n_tokens
    np.testing.assert_array_equal(rows_of(smaller)[: len(words)], every[words])
    buckets = {row: place for place, row in enumerate(range(90) if rows is None else rows)}
    kept = sorted(buckets[row - 400] for row in wanted if row >= 400)
    assert smaller.bucket_ids.tolist() == kept
    places = [400 + (place if rows is None else rows[place]) for place in kept]
    np.testing.assert_array_equal(rows_of(smaller)[len(words) :], every[places])
    assert smaller.drops_other_buckets
    assert smaller.input.shape == (256, 7)


def test_a_cutoff_above_all_rows_keeps_them(make_classifier: MakeClassifier) -> None:
    classifier = make_classifier()
    assert keep_largest_rows(classifier, 490) is classifier
    assert keep_largest_rows(classifier, 489) is not classifier


@pytest.mark.parametrize("cutoff", [-1, 1, 255, 300.0, True])
def test_an_impossible_cutoff(make_classifier: MakeClassifier, cutoff: Any) -> None:
    with pytest.raises(ConfigError, match=r"cutoff.* must be a whole number, 256 or more"):
        quantize_classifier(make_classifier(), cutoff=cutoff)


def test_what_cannot_be_quantized(make_classifier: MakeClassifier) -> None:
    with pytest.raises(ConfigError, match=r"rows of the input matrix=150 .* 256 or more"):
        quantize_classifier(make_classifier(100, 3, buckets=50))
    with pytest.raises(ConfigError, match=r"rows of the output matrix \(labels\)=3 .* 256 or more"):
        quantize_classifier(make_classifier(400, 3), qout=True)
    quantized = quantize_classifier(make_classifier())
    with pytest.raises(ConfigError, match="one that is not quantized yet"):
        quantize_classifier(quantized)
    with pytest.raises(ConfigError, match="left out with max_bytes"):
        quantize_classifier(make_classifier(), cutoff=300, max_bytes=90000)


FORMS = [
    Quantization(qnorm, qout, dsub)
    for qnorm in (False, True) for qout in (False, True) for dsub in (2, 3)
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cutoff", [0, 300])
def test_the_file_says_the_same(
    make_classifier: MakeClassifier, tmp_path: Path, form: Quantization, cutoff: int
) -> None:
    classifier = make_classifier()
    quantized = quantize_classifier(classifier, cutoff=cutoff, **form._asdict())
    fasttext.write(quantized, tmp_path / "model.ftz")
    again = fasttext.read(tmp_path / "model.ftz")
    assert isinstance(again, Classifier)
    assert again.vocabulary.words == quantized.vocabulary.words
    assert again.bucket_ids.tolist() == quantized.bucket_ids.tolist()
    for matrix in ("input", "output"):
        kinds = [type(getattr(model, matrix)) for model in (quantized, again)]
        assert kinds[0] is kinds[1]
        np.testing.assert_array_equal(rows_of(quantized, matrix), rows_of(again, matrix))
    exact = keep_or_all(classifier, cutoff)
    assert np.linalg.norm(rows_of(quantized) - exact) < 0.4 * np.linalg.norm(exact)


def keep_or_all(classifier: Classifier, cutoff: int) -> Matrix:
    return rows_of(keep_largest_rows(classifier, cutoff) if cutoff else classifier)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("below_all", [1, 500, 2000])
def test_a_size_is_kept_and_used(
    make_classifier: MakeClassifier, tmp_path: Path, form: Quantization, below_all: int
) -> None:
    classifier = make_classifier()

    def size_of(**arguments: Any) -> int:
        model = quantize_classifier(classifier, **form._asdict(), **arguments)
        fasttext.write(model, tmp_path / "model.ftz")
        return (tmp_path / "model.ftz").stat().st_size

    every = size_of()
    assert largest_cutoff(classifier, every, form) == 0
    cutoff = largest_cutoff(classifier, every - below_all, form)
    assert 256 <= cutoff < 490
    size = size_of(max_bytes=every - below_all)
    assert size == size_of(cutoff=cutoff) <= every - below_all
    assert cutoff == 489 or size_of(cutoff=cutoff + 1) > every - below_all


@pytest.mark.parametrize("max_bytes", [0, 1, -1, 1000, 1e9, None])
def test_an_impossible_size(make_classifier: MakeClassifier, max_bytes: Any) -> None:
    if max_bytes is None:
        assert quantize_classifier(make_classifier(), max_bytes=None).input.shape == (490, 7)
        return
    with pytest.raises(ConfigError, match="max_bytes"):
        quantize_classifier(make_classifier(), max_bytes=max_bytes)


def test_retraining_sees_the_rows_that_stay(make_classifier: MakeClassifier) -> None:
    seen = []

    def retrain(classifier: Classifier) -> Classifier:
        seen.append(classifier.input.shape)
        return dataclasses.replace(classifier, input=rows_of(classifier) * 2)

    classifier = make_classifier()
    plain = quantize_classifier(classifier, cutoff=300)
    doubled = quantize_classifier(classifier, cutoff=300, retrain=retrain)
    quantize_classifier(classifier, cutoff=500, retrain=retrain)
    assert seen == [(300, 7)]
    np.testing.assert_allclose(rows_of(doubled), 2 * rows_of(plain), rtol=1e-5)


def test_what_a_file_said_stays(make_classifier: MakeClassifier, tmp_path: Path) -> None:
    fasttext.write(make_classifier(), tmp_path / "model.bin")
    read = fasttext.read(tmp_path / "model.bin")
    assert isinstance(read, Classifier)
    assert read.fasttext is not None
    arguments = read.fasttext.arguments._replace(epoch=77, ws=3)
    for version in (0, 11, 12):
        old = dataclasses.replace(read, fasttext=FastTextDetails(version, arguments))
        fasttext.write(quantize_classifier(old, cutoff=300, qout=True), tmp_path / "model.ftz")
        again = fasttext.read(tmp_path / "model.ftz").fasttext
        assert again is not None
        assert (again.version, again.arguments, again.quantize_output) == (12, arguments, True)
