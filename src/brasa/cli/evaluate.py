"""`brasa evaluate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from brasa import evaluation
from brasa.cli.output import json_option, print_json, print_table
from brasa.evaluation.similarity import Oov, SimilarityResult
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from brasa.evaluation.analogy import AnalogyResult


@click.command()
@click.argument("model", type=click.Path())
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE]...")
@click.option(
    "--oov", type=click.Choice(get_args(Oov)), default="skip", show_default=True,
    help="Pairs with a word that training never saw: skip them, or score them by the subwords.",
)  # fmt: skip
@click.option(
    "--lowercase/--no-lowercase", default=True, show_default=True,
    help="Bring the words of the files to lower case first.",
)  # fmt: skip
@click.option(
    "--restrict-vocab", type=int, metavar="N",
    help="For analogies: use the N most frequent words only.",
)  # fmt: skip
@click.option(
    "--fetch", is_flag=True,
    help="First fetch the two halves of WordSim-353 from their authors' site, once.",
)  # fmt: skip
@json_option
def evaluate(
    model: str,
    files: tuple[str, ...],
    oov: Oov,
    lowercase: bool,
    restrict_vocab: int | None,
    fetch: bool,
    as_json: bool,
) -> None:
    """Score MODEL on each FILE; without files on WordSim-353.

    A FILE is a similarity table (two words and a score on each line) or an analogy file (four words
    on each line, headings begin with a colon), in any language: its content tells which.
    """
    vectors = WordVectors.load(model)
    if fetch:
        from brasa.evaluation import download  # its HTTP client takes 60 ms to load

        for path in download.fetch():
            click.echo(f"fetched {path}", err=True)
    if not files:
        _print_wordsim(vectors, as_json)
        return
    results = [
        evaluation.score_file(
            vectors.embeddings, file, oov=oov, lowercase=lowercase, restrict_vocab=restrict_vocab
        )
        for file in files
    ]
    if as_json:
        print_json([result.to_dict() for result in results])
        return
    print_table([("file", "items", "found", "unseen", "score"), *(_row(r) for r in results)])


def _row(result: SimilarityResult | AnalogyResult) -> tuple[str, ...]:
    if isinstance(result, SimilarityResult):
        counts = (result.total_pairs, result.found, result.unseen_pairs)
        return (result.name, *map(str, counts), f"rho {result.spearmans_rho:.4f}")
    total = result.total
    return (result.name, str(total.total), str(total.found), "-", f"accuracy {total.accuracy:.4f}")


def _print_wordsim(vectors: WordVectors, as_json: bool) -> None:
    report = vectors.evaluate()
    if as_json:
        print_json(report)
        return
    tables = {name: table for name, table in report.items() if isinstance(table, dict)}
    rows = [
        (
            name,
            str(table["total_pairs"]),
            str(table["total_pairs"] - table["not_found"]),
            f"rho {table['spearmans_rho']:.4f}",
        )
        for name, table in tables.items()
    ]
    print_table([("file", "items", "found", "score"), *rows])
    print_table([("mean_rho", f"{report['mean_rho']:.4f}")])
    for name in report.get("missing", ()):
        click.echo(f"{name} is not here; --fetch gets it from its authors' site", err=True)
