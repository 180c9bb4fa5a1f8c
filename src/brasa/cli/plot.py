"""`brasa plot`: pictures of a model."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from brasa import formats, plotting
from brasa.errors import ConfigError
from brasa.evaluation import similarity, wordsim
from brasa.formats import storage
from brasa.parameters import Embeddings
from brasa.word_map.layout import plane
from brasa.word_vectors import WordVectors

_BUNDLED = "wordsim353"


@click.command()
@click.argument("model", type=click.Path())
@click.argument("words", nargs=-1, metavar="[WORD...]")
@click.option(
    "-o",
    "--output",
    default="plot.png",
    show_default=True,
    type=click.Path(dir_okay=False),
    help="A file named .png, .svg or .pdf.",
)
@click.option("-k", "k", default=10, show_default=True, help="Neighbors of each word.")
@click.option("--loss", is_flag=True, help="Draw the loss of the training instead.")
@click.option(
    "--similarity",
    "table",
    is_flag=False,
    flag_value=_BUNDLED,
    metavar="[TABLE]",
    help="Draw cosines over people's scores instead; WordSim-353, or those of a table.",
)
def plot(
    model: str, words: tuple[str, ...], output: str, k: int, loss: bool, table: str | None
) -> None:
    r"""Draw words with their neighbors, the loss of the training, or similarity to people.

    \b
    brasa plot model guitar river -o words.png
    brasa plot model --loss -o loss.svg
    brasa plot model --similarity -o similarity.pdf
    """
    kind = plotting.check_suffix(output)
    asked = [bool(words), loss, table is not None]
    if sum(asked) != 1:
        raise click.UsageError("name words, or --loss, or --similarity: one of the three")
    opened = formats.open_model(model)
    if loss:
        picture = _loss(opened.metadata, model, kind)
    elif isinstance(opened, Embeddings):
        vectors = WordVectors(opened)
        picture = (
            _words(vectors, list(words), k, kind)
            if table is None
            else _similarity(vectors, table, kind)
        )
    else:
        raise ConfigError("MODEL", model, "word vectors; of a classifier --loss can be drawn")
    with storage.new_file(output) as file:
        file.write(picture)
    click.echo(f"brasa: drawn in {output}", err=True)


def _words(vectors: WordVectors, words: list[str], k: int, format: str) -> bytes:
    names, groups, is_asked = list(words), list(range(len(words))), [True] * len(words)
    for i, found in enumerate(vectors.neighbors_batch(words, k)):
        for name, _ in found:
            if name not in names:
                names.append(name)
                groups.append(i)
                is_asked.append(False)
    points = plane(vectors.vectors(names))
    return plotting.words_picture(names, points, groups, is_asked, format)


def _loss(metadata: dict[str, object], model: str, format: str) -> bytes:
    history = metadata.get("loss_history")
    if not isinstance(history, list) or not history:
        raise ConfigError("--loss", model, "a model that brasa trained and saved as a folder")
    return plotting.loss_picture(history, f"Training of {Path(model).name}", format)


def _similarity(vectors: WordVectors, table: str, format: str) -> bytes:
    path = wordsim.BUNDLED if table == _BUNDLED else Path(table)
    pairs = [
        pair
        for pair in similarity.read_pairs(path)
        if pair.first.lower() in vectors and pair.second.lower() in vectors
    ]
    if not pairs:
        raise ConfigError("--similarity", str(table), "a table with words that the model has")
    first = vectors.vectors([pair.first.lower() for pair in pairs]).astype(np.float64)
    second = vectors.vectors([pair.second.lower() for pair in pairs]).astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosines = (first * second).sum(axis=1) / np.maximum(lengths, 1e-30)
    human = [pair.score for pair in pairs]
    rho = similarity.spearman(human, cosines)
    title = f"{path.stem}: Spearman's rho {rho:.3f} over {len(pairs)} pairs"
    names = [f"{pair.first} · {pair.second}" for pair in pairs]
    return plotting.similarity_picture(human, cosines.tolist(), names, title, format)
