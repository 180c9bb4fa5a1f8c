"""Write the demo's text: a line for each entry of WordNet 3.0: words, definition and examples.

    apt-get download wordnet-base && dpkg-deb -x wordnet-base_*.deb unpacked
    python tools/make_wordnet_text.py unpacked/usr/share/wordnet src/brasa/demo

A line is the entry's words, then its gloss, lower-cased: "dog domestic dog canis familiaris a
member of the genus canis ... the dog barked all night". Tokens are words and numbers, with the
hyphens, apostrophes and points inside them ("well-known", "o'clock", "u.s"); other punctuation is
left out, since it would only push real context words out of the window. The words of names joined
by underscores are separated. Entries stand in the order of the files, nouns first.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
TOKEN = re.compile(r"[a-z0-9]+(?:(?:['.-]|(?<=[0-9]),)[a-z0-9]+)*")


def entries(path: Path) -> Iterator[str]:
    """The entries of a WordNet data file as text (format: wndb(5WN))."""
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith("  "):  # the licence, at the head of each file
            continue
        data, _, gloss = line.partition(" | ")
        fields = data.split(" ")
        n_words = int(fields[3], 16)
        words = [fields[4 + 2 * i] for i in range(n_words)]
        # Adjectives may carry a marker of their position: "galore(ip)".
        names = " ".join(re.sub(r"\((a|p|ip)\)$", "", word).replace("_", " ") for word in words)
        yield " ".join(TOKEN.findall(f"{names} {gloss}".lower()))


def license_text(path: Path) -> str:
    """The licence that heads every data file, without its line numbers."""
    head = [line for line in path.read_text(encoding="ascii").splitlines() if line[:2] == "  "]
    return "\n".join(re.sub(r"^ +\d+ ?", "", line).rstrip() for line in head) + "\n"


def main(dictionary: Path, output: Path) -> None:
    lines = [line for part in PARTS_OF_SPEECH for line in entries(dictionary / f"data.{part}")]
    text = "\n".join(lines).encode("ascii") + b"\n"
    # No time stamp and no name in the header: the same input gives the same bytes.
    packed = gzip.compress(text, compresslevel=9, mtime=0)
    (output / "wordnet.txt.gz").write_bytes(packed)
    (output / "WORDNET-LICENSE").write_text(license_text(dictionary / "data.noun"))
    print(f"{len(lines)} entries, {len(text.split())} tokens, {len(packed)} bytes packed")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} DICTIONARY_FOLDER OUTPUT_FOLDER")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
