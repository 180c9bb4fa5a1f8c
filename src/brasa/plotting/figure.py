"""What all pictures share: the figure, its format, and a check of the file's name."""

from __future__ import annotations

import importlib
import io
import os
import warnings
from pathlib import Path
from typing import Any

from brasa.errors import ConfigError, MissingExtraError

SUFFIXES = (".png", ".svg", ".pdf")
_SIZE = (7.0, 5.0)  # inches
_DOTS_PER_INCH = 150
# Tried in turn for letters that the first one lacks: what systems have for Chinese and emoji.
_FONTS = ["DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "Noto Emoji"]


def check_suffix(path: str) -> str:
    """The format that a file's name asks for.

    Raises
    ------
    ConfigError
        For another one than png, svg and pdf.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError("plot", path, f"a file named {', '.join(SUFFIXES)}")
    return suffix[1:]


def new_figure(size: tuple[float, float] = _SIZE) -> Any:
    """A figure that needs no screen.

    Raises
    ------
    MissingExtraError
        When Matplotlib is not installed.
    """
    if os.environ.get("MPLBACKEND", "").startswith("module://"):
        # A notebook that started this process has named its own, which may not be here.
        os.environ["MPLBACKEND"] = "agg"
    try:
        figure = importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "a picture") from error
    return figure.Figure(figsize=size, dpi=_DOTS_PER_INCH, layout="constrained")


def content_of(figure: Any, format: str) -> bytes:
    """The content of a file with the figure."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that no font here has: they become boxes
        figure.savefig(content, format=format)
    return content.getvalue()


def fonts() -> list[str]:
    """Fonts of this machine for words of any script, the best first."""
    manager = importlib.import_module("matplotlib.font_manager")
    here = {font.name for font in manager.fontManager.ttflist}
    return [name for name in _FONTS if name in here]


def plain(text: str, longest: int = 40) -> str:
    """A text as Matplotlib shows it as it is: not as a formula, and not endless."""
    shown = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return shown.replace("$", r"\$").replace("\n", " ")
