"""Curves: precision over recall, and the loss of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.metrics import precision_recall_curve
from brasa.plotting.figure import content_of, new_figure, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from brasa.metrics import PrecisionRecallCurve

MAX_LABELS = 8  # with a curve of their own; more could not be told apart
_ALL = "all labels"
_DASHES = ("-", "--")


def precision_recall_picture(
    is_true: npt.NDArray[np.bool_], probabilities: Any, labels: Sequence[str], format: str
) -> bytes:
    """Precision over recall: of all labels together, and of the most frequent ones.

    Parameters
    ----------
    is_true, probabilities : arrays, shape (n_texts, n_labels)
        As `TextClassifier.truth_and_probabilities` gives them.
    labels : sequence of str
        Names of the columns.
    format : {"png", "svg", "pdf"}

    Returns
    -------
    bytes
        The content of the file.

    Raises
    ------
    MissingExtraError
        When Matplotlib is not installed.
    """
    figure = new_figure()
    axes = figure.subplots()
    counts = is_true.sum(axis=0)
    if len(labels) > 1:
        pooled = precision_recall_curve(is_true.ravel(), probabilities.ravel())
        _draw(axes, pooled, _ALL, color="black", linewidth=2.0)
    frequent = np.argsort(-counts, kind="stable")[:MAX_LABELS]
    for i, label in enumerate(frequent[counts[frequent] > 0].tolist()):
        curve = precision_recall_curve(is_true[:, label], probabilities[:, label])
        style = {"color": f"C{i}", "linestyle": _DASHES[i % 2], "linewidth": 1.2}
        _draw(axes, curve, labels[label], **style)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.set_title(f"Precision and recall on {len(is_true):,} texts", fontsize="medium")
    axes.grid(alpha=0.3)
    title = "average precision"
    if np.count_nonzero(counts) > MAX_LABELS:
        title += f"\n({MAX_LABELS} most frequent of {np.count_nonzero(counts):,} labels)"
    figure.legend(loc="outside right upper", fontsize="small", title=title, title_fontsize="small")
    return content_of(figure, format)


def loss_picture(history: Sequence[tuple[float, float]], title: str, format: str) -> bytes:
    """The loss of a training over its progress.

    Parameters
    ----------
    history : sequence of (float, float)
        ``metadata["loss_history"]``: part of the training that is done, and the mean loss up to
        there since the point before.
    title : str
    format : {"png", "svg", "pdf"}

    Returns
    -------
    bytes
        The content of the file.

    Raises
    ------
    MissingExtraError
        When Matplotlib is not installed.
    """
    figure = new_figure()
    axes = figure.subplots()
    axes.plot(*zip(*history, strict=True), color="#c23d0b", linewidth=1.6)
    axes.set(xlabel="progress", ylabel="mean loss", xlim=(0, 1))
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    axes.set_title(plain(title, 80), fontsize="medium")
    axes.grid(alpha=0.3)
    return content_of(figure, format)


def _draw(axes: Any, curve: PrecisionRecallCurve, name: str, **style: Any) -> None:
    # Between two thresholds nothing is known: steps, as the average precision has them.
    legend = f"{curve.average_precision:.3f}  {plain(name, 24)}"
    first = curve.precision[:1] if len(curve.precision) else [0.0]
    recall = np.concatenate([[0.0], curve.recall])
    precision = np.concatenate([first, curve.precision])
    axes.step(recall, precision, where="pre", label=legend, **style)
