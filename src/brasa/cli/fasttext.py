"""`brasa fasttext`: fastText's commands, flags and output."""

from __future__ import annotations

import click

from brasa.fasttext.command import main


class _AsGiven(click.Command):
    """A command whose arguments are fastText's to read; only a call for help is click's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args in (["--help"], ["-h"]):
            return super().parse_args(ctx, args)
        ctx.args = list(args)
        return ctx.args


@click.command(cls=_AsGiven, options_metavar="COMMAND [ARGS]...")
@click.pass_context
def fasttext(ctx: click.Context) -> None:
    """Take fastText's commands and flags: brasa fasttext predict model.bin text.txt

    Output is that of fastText 0.9.2. "brasa fasttext" lists the commands; "brasa fasttext
    --install-command DIR" writes a program DIR/fasttext, for scripts that call it. Errors end with
    exit code 1, as there.
    """
    ctx.exit(main(ctx.args))
