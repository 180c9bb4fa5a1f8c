"""`brasa serve`: answer questions about models over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource

from brasa.errors import ConfigError
from brasa.serving.access_log import log_as_json
from brasa.serving.options import ServerOptions
from brasa.serving.process import run
from brasa.serving.registry import Registry

_DEFAULT = ServerOptions()
_FLAGS = {"max_body_bytes": "max_body_mb"}
_AT_LEAST_ONE = click.IntRange(min=1)
_SECONDS = click.FloatRange(min=0.001)


@click.command()
@click.argument("models", nargs=-1, metavar="MODEL...")
@click.option(
    "--host",
    default=_DEFAULT.host,
    show_default=True,
    help="Address to listen at; 0.0.0.0 is reached from other machines.",
)
@click.option("--port", default=_DEFAULT.port, show_default=True, help="0 for any free one.")
@click.option(
    "--workers",
    default=_DEFAULT.workers,
    show_default=True,
    type=_AT_LEAST_ONE,
    help="Processes; they share the models' memory.",
)
@click.option(
    "--api-key",
    envvar="BRASA_API_KEY",
    show_envvar=True,
    help="Answer only to those who send it: Authorization: Bearer KEY.",
)
@click.option(
    "--cors-origin",
    "cors_origins",
    multiple=True,
    metavar="ORIGIN",
    help="A site whose pages may ask, as https://example.org; may be repeated.",
)
@click.option(
    "--models-folder",
    type=click.Path(exists=True, file_okay=False),
    help="Let POST /models load models from below this folder.",
)
@click.option(
    "--max-body-mb",
    default=_DEFAULT.max_body_bytes / (1 << 20),
    show_default=True,
    type=click.FloatRange(min=0.001, max=1024),
    help="Refuse larger bodies (413).",
)
@click.option(
    "--body-timeout",
    "body_timeout_s",
    default=_DEFAULT.body_timeout_s,
    show_default=True,
    type=_SECONDS,
    metavar="SECONDS",
    help="Refuse bodies that have not arrived by then (408).",
)
@click.option(
    "--max-batch",
    default=_DEFAULT.max_batch,
    show_default=True,
    type=_AT_LEAST_ONE,
    help="Refuse more words or texts in one request (413).",
)
@click.option(
    "--max-waiting",
    default=_DEFAULT.max_waiting,
    show_default=True,
    type=_AT_LEAST_ONE,
    help="Refuse more requests at a time in one worker (429).",
)
@click.option(
    "--drain",
    "drain_s",
    default=_DEFAULT.drain_s,
    show_default=True,
    type=_SECONDS,
    metavar="SECONDS",
    help="How long requests at work may go on after SIGTERM.",
)
@click.option(
    "--watch",
    "watch_s",
    default=_DEFAULT.watch_s,
    show_default=True,
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How often to look whether a model was replaced; 0: only at SIGHUP.",
)
@click.option(
    "--log-requests/--no-log-requests", default=True, help="A line of JSON for each request."
)
def serve(models: tuple[str, ...], max_body_mb: float, **options: Any) -> None:
    r"""Answer questions about models over HTTP.

    MODEL is a path, or NAME=PATH. The first is the one asked where a request names none.

    \b
    brasa serve model
    curl localhost:8080/invocations -d '{"instances": ["awesome", "awweeesome"]}'

    The page for looking at the models is at the same address, and what can be asked at
    /openapi.json. SIGHUP loads changed models again, SIGTERM stops when all is answered.
    """
    context = click.get_current_context()
    options["max_body_bytes"] = round(max_body_mb * (1 << 20))
    chosen = replace(
        ServerOptions().with_environment(),  # what is said by flags goes before
        **{
            name: value
            for name, value in options.items()
            if context.get_parameter_source(_FLAGS.get(name, name)) is not ParameterSource.DEFAULT
        },
    )
    if not models and chosen.models_folder is None:
        raise ConfigError("MODEL", "nothing", "a model, unless --models-folder has some to load")
    registry = Registry.open(models)
    log_as_json()

    def ready(port: int) -> None:
        host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
        click.echo(f"brasa: serving at http://{host}:{port}", err=True)

    run(registry, chosen, ready)
