"""`brasa demo`."""

from __future__ import annotations

import shutil
import sys
from importlib import resources
from typing import Any, get_args

import click

from brasa.cli.app import INTERRUPTED
from brasa.cli.output import json_option, print_json, print_line
from brasa.cli.progress import LogFormat, display
from brasa.cli.train import result, save
from brasa.corpus import Corpus
from brasa.formats import native
from brasa.word_vectors import WordVectors

_SEEN, _UNSEEN = "awesome", "awweeesome"
_WORDS = ("guitar", "physics", "volcano", "happy", "river")
_COMPONENTS = 4  # of a vector, on a line of 80 columns
# A small text wants more passes and a wider window than the defaults: WordSim-353 is 0.56 after 10
# passes with window 5, 0.65 to 0.69 so. min_count 1 keeps "awesome", which the text has once.
_EPOCHS = 15
_SETTINGS: dict[str, Any] = {
    "mode": "skipgram",
    "subwords": True,
    "vector_dim": 100,
    "window_size": 15,
    "min_count": 1,
}


@click.command()
@click.option(
    "-o", "--output", default="brasa-demo", show_default=True, type=click.Path(),
    help="Folder in which to save the model.",
)  # fmt: skip
@click.option("--epochs", default=_EPOCHS, show_default=True, help="Full passes over the text.")
@click.option("--threads", type=int, help="Worker threads [all processors].")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("--log-format", type=click.Choice(get_args(LogFormat)), default="auto", hidden=True)
@json_option
@click.pass_context
def demo(
    ctx: click.Context,
    /,
    output: str,
    epochs: int,
    threads: int | None,
    quiet: bool,
    log_format: LogFormat,
    as_json: bool,
) -> None:
    """Train on the text that comes with brasa, and look at the result.

    The text is the words, definitions and examples of WordNet 3.0: 1.7 million words.
    """
    native.check_target(output)
    text = resources.files("brasa") / "demo" / "wordnet.txt.gz"
    if not quiet:
        click.echo("Skip-gram with subwords, on the text of WordNet 3.0", err=True)
    with display(log_format, quiet=quiet) as shown, resources.as_file(text) as path:
        vectors = WordVectors.train(
            Corpus(path), listeners=[shown], epochs=epochs, threads=threads, **_SETTINGS
        )
        report = save(vectors, output, shown)
    if as_json:
        print_json(
            {
                **result(vectors, output, report),
                "neighbors": {word: vectors.neighbors(word, 5) for word in _WORDS},
                "vectors": {word: vectors[word].tolist() for word in (_SEEN, _UNSEEN)},
                "cosine": vectors.similarity(_SEEN, _UNSEEN),
            }
        )
        return
    _print(vectors, output)
    if vectors.metadata.get("interrupted"):
        ctx.exit(INTERRUPTED)


def _print(vectors: WordVectors, output: str) -> None:
    print_line("\nNearest words:")
    for word in _WORDS:
        print_line(f"  {word:<8}  {', '.join(name for name, _ in vectors.neighbors(word, 5))}")
    print_line(f"\nVectors (the first {_COMPONENTS} of {vectors.vector_dim} numbers):")
    for word in (_SEEN, _UNSEEN):
        start = " ".join(f"{x:8.4f}" for x in vectors[word][:_COMPONENTS])
        seen = "" if word in vectors else "  (never seen)"
        print_line(f"  {word:<10}  {start} ...{seen}")
    print_line(f"  cosine of the two: {vectors.similarity(_SEEN, _UNSEEN):.3f}")
    print_line(f"\nThe model is in {output}. Try:\n")
    program = "brasa" if shutil.which("brasa") else sys.argv[0]
    print_line(f"  {program} neighbors {output} ocean -k 5")
