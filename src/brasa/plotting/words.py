"""Words as points with their names, and what a model and people think of pairs of words."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.plotting.figure import content_of, fonts, new_figure, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_SIDE = 9.0  # inches of a map of words
_MAX_COLORS = 10
# Where a name may stand, in points from its word; the first that is free is taken.
_PLACES = [(5, 0), (0, 9), (0, -9), (-5, 0), (6, 9), (6, -9), (-6, 9), (-6, -9), (9, 16), (-9, -16)]


def words_picture(
    words: Sequence[str],
    points: npt.ArrayLike,
    group: Sequence[int],
    is_asked: Sequence[bool],
    format: str,
) -> bytes:
    """Words on a plane, each group in its color, names so that few overlap.

    Parameters
    ----------
    words : sequence of str
    points : array-like, shape (len(words), 2)
    group : sequence of int
        By which words are colored.
    is_asked : sequence of bool
        Which are drawn large: the words asked for, not their neighbors.
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
    figure = new_figure((_SIDE, _SIDE * 0.75))
    axes = figure.subplots()
    xy = np.asarray(points, np.float64)
    colors = [f"C{i % _MAX_COLORS}" for i in group]
    sizes = [46 if asked else 14 for asked in is_asked]
    axes.scatter(xy[:, 0], xy[:, 1], c=colors, s=sizes, linewidths=0)
    axes.margins(0.12)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_alpha(0.2)
    figure.draw_without_rendering()  # so that places on the page are known
    _name(figure, axes, words, xy, colors, is_asked)
    return content_of(figure, format)


def similarity_picture(
    human: Sequence[float],
    model: Sequence[float],
    pairs: Sequence[str],
    title: str,
    format: str,
) -> bytes:
    """A model's cosines over people's scores; the pairs that they see most differently are named.

    Parameters
    ----------
    human, model : sequence of float
    pairs : sequence of str
        Names of the points.
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
    axes.scatter(human, model, s=14, alpha=0.55, color="#c23d0b", linewidths=0)
    axes.set(xlabel="people's score", ylabel="cosine")
    axes.set_title(plain(title, 90), fontsize="medium")
    axes.grid(alpha=0.3)
    if len(pairs) > 2:
        gaps = np.argsort(np.argsort(human)) - np.argsort(np.argsort(model))
        odd = np.argsort(-np.abs(gaps), kind="stable")[:8]
        xy = np.column_stack([np.asarray(human), np.asarray(model)])[odd]
        figure.draw_without_rendering()
        names = [pairs[i] for i in odd.tolist()]
        _name(figure, axes, names, xy, ["#444444"] * len(odd), [False] * len(odd))
    return content_of(figure, format)


def _name(
    figure: Any,
    axes: Any,
    words: Sequence[str],
    xy: npt.NDArray[np.float64],
    colors: Sequence[str],
    is_asked: Sequence[bool],
) -> None:
    """Write names beside points: those asked for first, each where it covers the fewest others."""
    renderer = figure._get_renderer()  # of any canvas; constrained layout has none of its own
    taken = [[x - 3, y - 3, x + 3, y + 3] for x, y in axes.transData.transform(xy).tolist()]
    page = axes.bbox.extents.tolist()
    order = sorted(range(len(words)), key=lambda i: not is_asked[i])
    for i in order:
        style = {"fontsize": 11, "fontweight": "bold"} if is_asked[i] else {"fontsize": 8}
        text = axes.annotate(
            plain(words[i]),
            xy[i],
            xytext=_PLACES[0],
            textcoords="offset points",
            color=colors[i],
            fontfamily=fonts(),
            **style,
        )
        tried: list[tuple[float, tuple[int, int], list[float]]] = []
        for place in _PLACES:
            _put(text, place)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of letters that no font here has
                box = text.get_window_extent(renderer).extents.tolist()
            area = (box[2] - box[0]) * (box[3] - box[1])
            outside = area - _overlap(box, page)
            covered = outside + sum(_overlap(box, other) for other in taken)
            tried.append((covered, place, box))
            if covered == 0:
                break
        _, place, box = min(tried, key=lambda one: one[0])
        _put(text, place)
        taken.append(box)


def _put(text: Any, place: tuple[int, int]) -> None:
    dx, dy = place
    text.set_position(place)
    text.set_horizontalalignment("left" if dx > 0 else "right" if dx < 0 else "center")
    text.set_verticalalignment("bottom" if dy > 0 else "top" if dy < 0 else "center")


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
