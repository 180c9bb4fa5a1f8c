"""Pictures of how well labels are predicted, drawn by Matplotlib."""

from __future__ import annotations

import importlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.errors import ConfigError, MissingExtraError
from brasa.metrics import precision_recall_curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from brasa.metrics import PrecisionRecallCurve

SUFFIXES = (".png", ".svg", ".pdf")
MAX_LABELS = 8  # with a curve of their own; more could not be told apart
_ALL = "all labels"
_SIZE = (7.0, 5.0)  # inches
_DOTS_PER_INCH = 150
_DASHES = ("-", "--")


def check_suffix(path: str) -> str:
    """The format that a file's name asks for.

    Raises
    ------
    ConfigError
        For another one than png, svg and pdf.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError("plot", path, f"a file named {', '.join(SUFFIXES)}")
    return suffix[1:]


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
    try:
        figure = importlib.import_module("matplotlib.figure").Figure(
            figsize=_SIZE, dpi=_DOTS_PER_INCH, layout="constrained"
        )
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "a picture") from error
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
    content = io.BytesIO()
    figure.savefig(content, format=format)
    return content.getvalue()


def _draw(axes: Any, curve: PrecisionRecallCurve, name: str, **style: Any) -> None:
    # Between two thresholds nothing is known: steps, as the average precision has them.
    shown = name if len(name) <= 24 else f"{name[:23]}…"
    legend = f"{curve.average_precision:.3f}  {shown}".replace("$", r"\$")
    first = curve.precision[:1] if len(curve.precision) else [0.0]
    recall = np.concatenate([[0.0], curve.recall])
    precision = np.concatenate([first, curve.precision])
    axes.step(recall, precision, where="pre", label=legend, **style)
