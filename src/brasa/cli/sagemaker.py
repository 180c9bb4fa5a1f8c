"""`brasa sagemaker train` and `serve`: what SageMaker starts in a container."""

from __future__ import annotations

import sys

import click

from brasa.cli.blazingtext_log import BlazingTextLog
from brasa.sagemaker.folders import Folders
from brasa.sagemaker.training import run


@click.group()
def sagemaker() -> None:
    """Be Amazon SageMaker's BlazingText container.

    Everything is found and left below /opt/ml, or below SAGEMAKER_BASE_DIR.
    """


@sagemaker.command()
@click.pass_context
def train(ctx: click.Context) -> None:
    """Train as input/config says, and leave the artifacts in model."""
    ctx.exit(run(Folders.of_environment(), BlazingTextLog(sys.stdout)))


@sagemaker.command()
def serve() -> None:
    """Serve what lies in model, at port 8080 or SAGEMAKER_BIND_TO_PORT."""
    from brasa.sagemaker.serving import serve as serve_model
    from brasa.serving.access_log import log_as_json

    log_as_json()

    def ready(port: int) -> None:
        click.echo(f"brasa: serving at port {port}", err=True)

    serve_model(Folders.of_environment(), ready)
