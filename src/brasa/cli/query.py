"""`brasa vectors`, `brasa neighbors`, `brasa analogy`: ask a model about words."""

from __future__ import annotations

import click

from brasa.cli.output import json_option, print_json, print_line, words_of
from brasa.word_vectors import WordVectors

_model = click.argument("model", type=click.Path())
_words = click.argument("words", nargs=-1, required=True, metavar="WORD...")
_k = click.option("-k", "k", default=10, show_default=True, help="How many words to print.")
_restrict = click.option(
    "--restrict-vocab",
    type=click.IntRange(min=1),
    metavar="N",
    help="Find only the N most frequent words.",
)


@click.command()
@_model
@_words
@json_option
def vectors(model: str, words: tuple[str, ...], as_json: bool) -> None:
    """Print the vectors of words; "-" reads the words from standard input.

    A line is the word, then its numbers with five significant digits; --json has all digits. Models
    with subwords have vectors of unseen words too; for others an unseen word is an error.
    """
    found = WordVectors.load(model)
    asked = words_of(words)
    if not found.config.subwords:
        for word in asked:
            found[word]  # refuses an unseen word, which `vectors` would answer with zeros
    matrix = found.vectors(asked)
    if as_json:
        rows = zip(asked, matrix.tolist(), strict=True)
        print_json([{"word": word, "vector": vector} for word, vector in rows])
        return
    for word, vector in zip(asked, matrix.tolist(), strict=True):
        print_line(" ".join([word, *(f"{x:.5g}" for x in vector)]))


@click.command()
@_model
@_words
@_k
@_restrict
@json_option
def neighbors(
    model: str, words: tuple[str, ...], k: int, restrict_vocab: int | None, as_json: bool
) -> None:
    """Print the words nearest to each WORD, with their cosines, best first.

    "-" reads the words from standard input. With several words, each line begins with the one
    asked for.
    """
    vectors = WordVectors.load(model)
    asked = words_of(words)
    batch = vectors.neighbors_batch(asked, k, among=restrict_vocab)
    answers = list(zip(asked, batch, strict=True))
    if as_json:
        print_json([{"word": word, "neighbors": _named(found)} for word, found in answers])
        return
    for word, found in answers:
        start = f"{word}\t" if len(asked) > 1 else ""
        for neighbor, cosine in found:
            print_line(f"{start}{neighbor}\t{cosine:.4f}")


@click.command()
@_model
@click.argument("a")
@click.argument("b")
@click.argument("c")
@_k
@_restrict
@json_option
def analogy(
    model: str, a: str, b: str, c: str, k: int, restrict_vocab: int | None, as_json: bool
) -> None:
    """A is to B as C is to what? Print the best answers with their cosines.

    The words nearest to B - A + C: `brasa analogy MODEL france paris italy` asks for Rome.
    """
    found = WordVectors.load(model).analogy(a, b, c, k, among=restrict_vocab)
    if as_json:
        print_json({"a": a, "b": b, "c": c, "answers": _named(found)})
        return
    for word, cosine in found:
        print_line(f"{word}\t{cosine:.4f}")


def _named(found: list[tuple[str, float]]) -> list[dict[str, str | float]]:
    return [{"word": word, "cosine": cosine} for word, cosine in found]
