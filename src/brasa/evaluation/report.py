"""Scores of a model: BlazingText's `eval.json`, and any similarity or analogy file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brasa.evaluation import analogy, similarity, wordsim
from brasa.evaluation.lines import broken, read_lines

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from brasa.evaluation.analogy import AnalogyResult
    from brasa.evaluation.similarity import Oov, SimilarityResult
    from brasa.parameters import Embeddings

FILE_NAME = "eval.json"


def wordsim353(embeddings: Embeddings, *, place: Path | None = None) -> dict[str, Any]:
    """Score a model on WordSim-353 and its halves, in the shape of BlazingText's `eval.json`.

    Parameters
    ----------
    embeddings : Embeddings
    place : path, optional
        Folder with `WS-353-SIM.tsv` and `WS-353-REL.tsv`; by default the evaluation folder
        (`BRASA_EVALUATION_DIR`, or one in the user's cache, see `brasa.evaluation.download.fetch`).

    Returns
    -------
    dict
        For each table ``{"not_found", "spearmans_rho", "total_pairs"}``, and ``"mean_rho"``, the
        mean over the tables. Tables that are not there are named under ``"missing"``, a key that
        only then exists, and `mean_rho` covers the others.
    """
    report: dict[str, Any] = {}
    missing = []
    for name, path in wordsim.tables(place).items():
        if path is None:
            missing.append(name)
            continue
        result = similarity.score(embeddings, path)
        report[name] = {
            "not_found": result.not_found,
            "spearmans_rho": result.spearmans_rho,
            "total_pairs": result.total_pairs,
        }
    mean = sum(table["spearmans_rho"] for table in report.values()) / len(report)
    if missing:
        report["missing"] = missing
    report["mean_rho"] = mean
    return report


def score_file(
    embeddings: Embeddings,
    path: str | os.PathLike[str],
    *,
    oov: Oov = "skip",
    lowercase: bool = True,
    restrict_vocab: int | None = None,
) -> SimilarityResult | AnalogyResult:
    """Score a model on a similarity table or an analogy file, told apart by content.

    Parameters
    ----------
    embeddings : Embeddings
    path : path
    oov : {"skip", "subwords"}
        For similarity: whether words that are not in the vocabulary count, by their n-grams.
    lowercase : bool
        Bring the file's words to lower case first.
    restrict_vocab : int, optional
        For analogies: use only this many of the most frequent words.

    Raises
    ------
    ModelFormatError
        When it is neither, with the line.
    """
    if is_analogy(path):
        return analogy.score(embeddings, path, lowercase=lowercase, restrict_vocab=restrict_vocab)
    return similarity.score(embeddings, path, oov=oov, lowercase=lowercase)


def is_analogy(path: str | os.PathLike[str]) -> bool:
    """Whether a file has analogies (sections, or four words a line), not scored pairs.

    The second line decides where there is one, since the first may be a heading.
    """
    lines = read_lines(path)
    number, line = lines[min(1, len(lines) - 1)]
    if lines[0][1].startswith(":") or line.startswith(":"):
        return True
    for separator in ("\t", ",", None):
        if similarity.score_column(similarity.split_row(line, separator)) is not None:
            return False
    if len(line.split()) == 4:
        return True
    raise broken(path, number, "neither a pair of words with a score nor an analogy of four words")
