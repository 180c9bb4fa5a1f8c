from __future__ import annotations

import importlib
import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from brasa.errors import ConfigError
from brasa.metrics import precision_recall_curve
from brasa.plotting import (
    check_suffix,
    loss_picture,
    precision_recall_picture,
    similarity_picture,
    words_picture,
)

image: Any = importlib.import_module("matplotlib.image")


def scores(n: int = 300, n_labels: int = 12) -> tuple[Any, Any, list[str]]:
    rng = np.random.default_rng(1)
    is_true = rng.random((n, n_labels)) < np.linspace(0.5, 0.01, n_labels)
    probabilities = (0.6 * is_true + 0.4 * rng.random((n, n_labels))).astype(np.float32)
    return is_true, probabilities, [f"label {i}" for i in range(n_labels)]


def test_a_png_has_the_curve_of_all_labels() -> None:
    """The thick black line passes where the curve of all pairs does."""
    is_true, probabilities, labels = scores()
    noisy = np.random.default_rng(2).random(probabilities.shape)
    picture = precision_recall_picture(is_true, noisy, labels, "png")
    pixels = image.imread(io.BytesIO(picture))[:, :, :3]
    assert pixels.shape == (750, 1050, 3)
    share = precision_recall_curve(is_true.ravel(), noisy.ravel()).precision[-1]
    black = (pixels.max(axis=2) < 0.1)[60:-90, 120:700]
    thick = np.flatnonzero(black[:, 300:].mean(axis=1) > 0.2)  # rows along the horizontal part
    assert len(thick)
    # From the top of the axes (precision 1) to the bottom (0), in pixels of this slice.
    assert 1 - thick.mean() / black.shape[0] == pytest.approx(share, abs=0.12)


def test_an_svg_names_the_labels() -> None:
    is_true, probabilities, labels = scores()
    labels[0], labels[1] = "$x$ & <y>", "a very long name of a label, too long for a legend"
    text = precision_recall_picture(is_true, probabilities, labels, "svg").decode()
    assert text.startswith("<?xml")
    for name in ("all labels", "label 2", "label 7", "8 most frequent of 12 labels"):
        assert name in text
    assert "label 8" not in text
    assert "too long for a legend" not in text


def test_labels_and_texts_that_are_few() -> None:
    one = precision_recall_picture(np.ones((3, 1), bool), np.ones((3, 1)), ["only"], "svg")
    assert b"only" in one
    assert b"all labels" not in one
    assert precision_recall_picture(np.zeros((0, 2), bool), np.zeros((0, 2)), ["a", "b"], "pdf")
    nothing = precision_recall_picture(np.zeros((2, 2), bool), np.zeros((2, 2)), ["a", "b"], "svg")
    assert b"on 2 texts" in nothing


def test_names_of_files() -> None:
    assert [check_suffix(f"a.b{s}") for s in (".png", ".SVG", ".pdf")] == ["png", "svg", "pdf"]
    for name in ("a", "a.jpg", "png"):
        with pytest.raises(ConfigError, match=r"named \.png, \.svg, \.pdf"):
            check_suffix(name)


def test_without_matplotlib() -> None:
    code = (
        "import sys; sys.modules['matplotlib.figure'] = None\n"
        "import numpy as np; from brasa.plotting import precision_recall_picture as p\n"
        "p(np.ones((3, 1), bool), np.ones((3, 1)), ['a'], 'png')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError: a picture needs matplotlib: pip install 'brasa[plot]'" in done.stderr


def test_words_are_drawn_with_their_names() -> None:
    names = ["river", "$lake$", "中文", "🜂", "a" * 60, "x\ny"]
    points = np.random.default_rng(1).normal(size=(6, 2))
    groups, is_asked = [0, 0, 1, 1, 2, 2], [True, False] * 3
    text = words_picture(names, points, groups, is_asked, "svg").decode()
    assert "<!-- river -->" in text
    assert "<!-- x y -->" in text
    assert "a" * 40 not in text
    for kind in ("png", "pdf"):
        assert words_picture(names, points, groups, is_asked, kind)
    assert words_picture(["one"], [[0, 0]], [0], [True], "png")
    many = words_picture(["same"] * 60, np.zeros((60, 2)), [0] * 60, [True] * 60, "svg")
    assert many.count(b"<!-- same -->") == 60


def test_a_loss_is_drawn_over_its_progress() -> None:
    text = loss_picture([(0.01, 2.5), (0.5, 1.5), (1.0, 1.0)], "Training of $x$", "svg").decode()
    assert "<!-- Training of $x$ -->" in text
    assert "100%" in text


def test_the_pairs_that_people_see_differently_are_named() -> None:
    human = list(range(10))
    model = [0.9, *np.linspace(0.1, 0.8, 9)]
    pairs = [f"a{i} b{i}" for i in range(10)]
    text = similarity_picture(human, model, pairs, "wordsim", "svg").decode()
    assert "<!-- a0 b0 -->" in text
    assert similarity_picture([1.0], [0.5], ["a b"], "one", "png")
