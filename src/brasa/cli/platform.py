"""`brasa platform`: a SageMaker of one's own, and the way in for its clients."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brasa.errors import MissingExtraError, StorageError

if TYPE_CHECKING:
    from brasa.platform.folder import DataFolder

_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("brasa-platform"),
    envvar="BRASA_PLATFORM_DATA",
    show_default=True,
    help="Folder with the platform's keys, state and objects.",
)


@click.group(invoke_without_command=True)
@_DATA
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=9000, show_default=True, help="0 for any free one.")
@click.option(
    "--s3-endpoint",
    metavar="URL",
    help="Your own S3, such as https://s3.us-east-1.amazonaws.com or MinIO's address, with the key "
    "that AWS_ACCESS_KEY_ID or a profile gives. Without it an embedded one keeps the objects.",
)
@click.option("--cores", type=click.IntRange(min=1), help="For all jobs together. [all]")
@click.option("--no-auth", is_flag=True, help="Take unsigned requests; on loopback only.")
@click.option("--verbose", is_flag=True, help="Log each request.")
@click.pass_context
def platform(
    ctx: click.Context,
    data: Path,
    host: str,
    port: int,
    s3_endpoint: str | None,
    cores: int | None,
    no_auth: bool,
    verbose: bool,
) -> None:
    """Run a SageMaker of your own, for AWS's clients as they are.

    One process on one port answers SageMaker, its runtime, logs, S3, STS and IAM. BlazingText's
    jobs and endpoints run on this machine. In another shell:

        eval "$(brasa platform env)"
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = data
        return
    from brasa.platform.process import PlatformOptions, run

    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(format="brasa: %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("brasa.platform").setLevel(level)
    options = PlatformOptions(data, host, port, s3_endpoint, cores, auth=not no_auth)

    def ready(url: str) -> None:
        click.echo(f"brasa: the platform is at {url}", err=True)

    run(options, ready)


@platform.command()
@_DATA
@click.option("--json", "as_json", is_flag=True, help="Print an object instead of shell lines.")
@click.pass_context
def env(ctx: click.Context, data: Path, as_json: bool) -> None:
    """Print the variables that send AWS's clients to the platform."""
    from brasa.platform import getting_in

    values = getting_in.variables(_folder(ctx, data))
    click.echo(json.dumps(values, indent=1) if as_json else getting_in.as_shell(values))


@platform.command()
@_DATA
@click.argument("arguments", nargs=-1, metavar="[FILE] [-- JUPYTER'S OPTIONS]")
@click.pass_context
def notebook(ctx: click.Context, data: Path, arguments: tuple[str, ...]) -> None:
    """Open Jupyter on a notebook, with the platform's variables."""
    from brasa.platform import getting_in

    values = getting_in.variables(_folder(ctx, data))
    path = os.environ.get("PYTHONPATH")
    if path:
        values["PYTHONPATH"] += os.pathsep + path
    # A notebook's `!brasa` is this one, in an environment that nobody activated, too.
    values["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if arguments and not arguments[0].startswith("-") and not Path(arguments[0]).exists():
        raise StorageError(arguments[0], "there is no such notebook")
    command = [sys.executable, "-m", "jupyter", "lab", *arguments]
    if subprocess.run([sys.executable, "-c", "import jupyterlab"], capture_output=True).returncode:
        raise MissingExtraError("jupyterlab", "notebook", "a notebook")
    os.execve(sys.executable, command, {**os.environ, **values})


def _folder(ctx: click.Context, data: Path) -> DataFolder:
    from brasa.platform.folder import DataFolder

    given = ctx.get_parameter_source("data") is not click.core.ParameterSource.DEFAULT
    return DataFolder(data if given else ctx.obj or data)
