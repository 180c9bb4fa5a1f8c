"""`fasttext.util`: scores, neighbors among rows, fewer dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa.errors import ConfigError
from brasa.reduction import principal_directions

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable

    from brasa.fasttext.model import _FastText

_PAGE = "https://fasttext.cc/docs/en/crawl-vectors.html"


def test(
    predictions: Iterable[Iterable[str]],
    labels: Iterable[Collection[str]],
    k: int = 1,  # noqa: PT028
) -> tuple[float, float]:
    """Precision at `k` and recall of what `predict` gave for a list, against the true labels."""
    n_correct = n_texts = n_labels = 0
    for predicted, true in zip(predictions, labels, strict=False):
        n_correct += sum(label in true for label in predicted)
        n_texts += 1
        n_labels += len(true)
    if not n_labels or k < 1:
        raise ConfigError("labels", "none", "at least one, with k of at least 1")
    return n_correct / (k * n_texts), n_correct / n_labels


def find_nearest_neighbor(
    query: npt.NDArray[Any],
    vectors: npt.NDArray[Any],
    ban_set: Container[int],
    cossims: npt.NDArray[Any] | None = None,
) -> int:
    """The row of `vectors` with the greatest product with `query`, of those not in `ban_set`.

    `cossims`, of one number for each row, is filled with the products where it is given.
    """
    products = np.matmul(vectors, query, out=cossims)
    for row in np.argsort(-products, kind="stable").tolist():
        if row not in ban_set:
            return int(row)
    raise ConfigError("ban_set", "all rows", "such that a row is left")


def reduce_model(ft_model: _FastText, target_dim: int) -> _FastText:
    """Project both matrices on the directions of greatest variance; the model itself changes.

    Directions come from the first 100,000 input rows, as `brasa.reduction.reduce_dim` has it.
    """
    rows, output = ft_model.get_input_matrix(), ft_model.get_output_matrix()
    if type(target_dim) is not int or not 1 <= target_dim < rows.shape[1]:
        allowed = f"a whole number from 1 to {rows.shape[1] - 1}, below the model's dimension"
        raise ConfigError("target_dim", target_dim, allowed)
    directions = principal_directions(rows, target_dim)
    ft_model.set_matrices(rows @ directions, output @ directions)
    return ft_model


def download_model(lang_id: str, if_exists: str = "strict", dimension: int | None = None) -> str:
    """The file of Common Crawl vectors in this folder; nothing is downloaded.

    Raises
    ------
    ConfigError
        When there is no file ``cc.LANG.300.bin``: it says where to get it.
    """
    name = f"cc.{lang_id}.300.bin"
    if Path(name).is_file():
        return name
    raise ConfigError("lang_id", lang_id, f"that of a file {name} in this folder: nothing is "
                      f"downloaded here, get {name}.gz from {_PAGE} and gunzip it")  # fmt: skip
