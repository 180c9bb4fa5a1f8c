"""Where WordSim-353 is: the full table in the package, its halves in the evaluation folder.

The similarity and relatedness halves (Agirre et al. 2009) name no licence of their own and are not
shipped: `brasa.evaluation.download.fetch` gets them from their authors.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = "http://alfonseca.org/pubs/ws353simrel.tar.gz"


class Member(NamedTuple):
    """A file of the authors' archive."""

    path: str
    sha256: str


# SHA-256 of files whose SHA-1 are those that GluonNLP published for the archive's members.
BUNDLED = Path(__file__).parent / "data" / "wordsim353.tsv"  # all pairs
MEMBERS: Mapping[str, Member] = {
    "WS-353-REL.tsv": Member(
        "wordsim353_sim_rel/wordsim_relatedness_goldstandard.txt",
        "66a7c88100624d0a391605ff61ce84e11d11ee620d51ec0298da49592838f8fa",
    ),
    "WS-353-SIM.tsv": Member(
        "wordsim353_sim_rel/wordsim_similarity_goldstandard.txt",
        "f1da938998863c94e53f72f984a5c6e215f0b46c323aae8f0f4930703a339107",
    ),
}


def folder() -> Path:
    """The evaluation folder: `BRASA_EVALUATION_DIR`, or one in the user's cache."""
    named = os.environ.get("BRASA_EVALUATION_DIR")
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "brasa" / "evaluation"


def tables(place: Path | None = None) -> dict[str, Path | None]:
    """The three tables under BlazingText's names; None for a half that is not in the folder."""
    place = folder() if place is None else place
    halves = {name: place / name if (place / name).is_file() else None for name in MEMBERS}
    return {
        "EN-WS-353-ALL.txt": BUNDLED,
        "EN-WS-353-REL.txt": halves["WS-353-REL.tsv"],
        "EN-WS-353-SIM.txt": halves["WS-353-SIM.tsv"],
    }
