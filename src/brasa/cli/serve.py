"""`brasa serve`: answer questions about models over HTTP."""

from __future__ import annotations

import click

from brasa.serving.options import ServerOptions
from brasa.serving.process import run
from brasa.serving.registry import Registry

_DEFAULT = ServerOptions()


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--host", default=_DEFAULT.host, show_default=True, help="Address to listen at.")
@click.option("--port", default=_DEFAULT.port, show_default=True, help="0 for any free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--api-key", envvar="BRASA_API_KEY", help="Ask for this key (Bearer).")
def serve(models: tuple[str, ...], host: str, port: int, workers: int, api_key: str | None) -> None:
    """Answer questions about models over HTTP.

    MODEL is a path, or NAME=PATH. The first is the one asked where a request names none.
    """
    options = ServerOptions(host=host, port=port, workers=workers, api_key=api_key)
    options = options.with_environment()
    registry = Registry.open(models)

    def ready(port: int) -> None:
        click.echo(f"brasa: serving at http://{options.host}:{port}", err=True)

    run(registry, options, ready)
