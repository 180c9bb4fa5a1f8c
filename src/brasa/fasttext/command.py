"""The commands of fastText's program, with its output: ``brasa fasttext predict model.bin -``.

Exit codes: 0 done, 1 an error, in one message on standard error; 130 stopped by Ctrl-C, 141 the
reader of standard output went away.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from brasa.errors import BrasaError, TrainingInterrupted
from brasa.fasttext import asking, making
from brasa.fasttext.flags import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED, INTERRUPTED, OUTPUT_CLOSED = 1, 130, 141

_USAGE = """usage: fasttext <command> <args>

The commands supported by fasttext are:

  supervised              train a text classifier
  quantize                make a classifier small
  test                    score a classifier
  test-label              score a classifier, label by label
  predict                 print the most probable labels
  predict-prob            print the most probable labels and their probabilities
  skipgram                train word vectors by skip-gram
  cbow                    train word vectors by cbow
  print-word-vectors      print the vectors of words
  print-sentence-vectors  print the vectors of lines
  print-ngrams            print the n-grams of a word and their vectors
  nn                      ask for nearest neighbors
  analogies               ask for analogies
  dump                    print arguments, dictionary, or a matrix

and, to have this program under the name fasttext:

  --install-command DIR   write DIR/fasttext, which calls it"""
_COMMANDS: dict[str, Callable[[str, list[str]], None]] = {
    "supervised": making.train,
    "skipgram": making.train,
    "cbow": making.train,
    "quantize": making.quantize,
    "test": asking.test,
    "test-label": asking.test,
    "predict": asking.predict,
    "predict-prob": asking.predict,
    "print-word-vectors": asking.print_word_vectors,
    "print-sentence-vectors": asking.print_sentence_vectors,
    "print-ngrams": asking.print_ngrams,
    "nn": asking.neighbors,
    "analogies": asking.analogies,
    "dump": asking.dump,
}
_SCRIPT = "#!/bin/sh\nexec '{python}' -m brasa.fasttext \"$@\"\n"


def main(arguments: list[str]) -> int:
    """Run a command; gives the exit code."""
    try:
        _run(arguments)
        sys.stdout.flush()  # here, where a full disk or a closed pipe is still an answer
    except UsageError as error:
        return _fail(str(error), FAILED)
    except (KeyboardInterrupt, TrainingInterrupted):
        return _fail("fasttext: interrupted", INTERRUPTED)
    except BrasaError as error:
        return _fail(f"fasttext: {error}", FAILED)
    except BrokenPipeError:
        return _discard_output(OUTPUT_CLOSED)
    except OSError as error:
        return _discard_output(_fail(f"fasttext: {error}", FAILED))
    except MemoryError:
        return _fail("fasttext: not enough memory: lower -dim or -bucket", FAILED)
    return 0


def _run(arguments: list[str]) -> None:
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name == "--install-command":
        if len(rest) != 1:
            raise UsageError("usage: fasttext --install-command DIR")
        install(Path(rest[0]))
        return
    command = _COMMANDS.get(name)
    if command is None:
        is_a_word = name and not name.startswith("-")
        raise UsageError(f"{_USAGE}\n\nUnknown command: {name}" if is_a_word else _USAGE)
    command(name, rest)


def install(folder: Path) -> None:
    """Write a script `fasttext` that calls this program; another program is left as it is."""
    script = folder / "fasttext"
    if script.exists() and b"brasa.fasttext" not in script.read_bytes()[:4096]:
        raise UsageError(f"fasttext: {script} is another program: remove it, or name another DIR")
    script.write_text(_SCRIPT.format(python=sys.executable.replace("'", "'\\''")))
    script.chmod(0o755)
    sys.stderr.write(f"Wrote {script}\n")


def _fail(message: str, code: int) -> int:
    if sys.stderr is not None:
        sys.stderr.write(message + "\n")
    return code


def _discard_output(code: int) -> int:
    """Send what is still buffered nowhere, since Python would complain about it while it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code
