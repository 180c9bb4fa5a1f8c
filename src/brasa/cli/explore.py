"""`brasa explore`: look at a model in the browser."""

from __future__ import annotations

import os
import webbrowser

import click

from brasa import formats
from brasa.errors import ConfigError
from brasa.parameters import Embeddings
from brasa.serving.export import export_page
from brasa.serving.options import ServerOptions
from brasa.serving.process import run
from brasa.serving.registry import Registry, split_argument
from brasa.word_map import METHODS
from brasa.word_vectors import WordVectors


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--port", default=0, show_default="any free one")
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser.")
@click.option(
    "--export",
    "path",
    type=click.Path(dir_okay=False),
    metavar="PAGE.html",
    help="Write one file that needs no server, and stop.",
)
@click.option(
    "--words",
    default=5000,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many of the most frequent words --export keeps.",
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    type=click.Choice(METHODS),
    help="Maps that --export makes; may be repeated.  [default: pca]",
)
def explore(
    models: tuple[str, ...],
    port: int,
    browser: bool,
    path: str | None,
    words: int,
    methods: tuple[str, ...],
) -> None:
    """Look at a model in the browser: neighbors, n-grams, analogies, a map; labels and why.

    MODEL is a path, or NAME=PATH. Nothing is asked of any other machine. Ctrl-C ends it.
    """
    if path is not None:
        _export(models, path, words, methods or METHODS[:1])
        return
    options = ServerOptions(port=port, log_requests=False)

    def ready(port: int) -> None:
        url = f"http://{options.host}:{port}/"
        click.echo(f"brasa: look at {url} (Ctrl-C ends)", err=True)
        if browser:
            _open(url)

    run(Registry.open(models), options, ready)


def _export(models: tuple[str, ...], path: str, words: int, methods: tuple[str, ...]) -> None:
    if len(models) != 1:
        raise ConfigError("MODEL", " ".join(models), "one model, for --export")
    name, model_path = split_argument(models[0])
    model = formats.open_model(model_path)
    if not isinstance(model, Embeddings):
        raise ConfigError("MODEL", model_path, "word vectors, for --export")
    size = export_page(WordVectors(model), path, name=name, words=words, methods=methods)
    click.echo(f"brasa: {path} has {size / 1e6:.1f} MB", err=True)


def _open(url: str) -> None:
    # In a process of its own: what a browser prints, and how long it takes, is not the server's.
    if os.fork() == 0:
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            webbrowser.open(url)
        finally:
            os._exit(0)
