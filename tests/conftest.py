"""Models made without training, for whatever uses one; a browser; no skips in CI."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from brasa.config import WordVectorsConfig
from brasa.parameters import Classifier, Embeddings
from brasa.subwords import FloretHashing, Subwords
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from playwright import sync_api as playwright

WORDS = ("</s>", "the", "fire", "ember", "embers", "brasa", "ação", "команда", "北海道", "🔥", "é")

# Examples share a test's folder and its model; machines are shared, so that no time is a limit.
settings.register_profile(
    "files", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("files")

Flip = Callable[..., bytes]
MakeEmbeddings = Callable[..., Embeddings]
MakeClassifier = Callable[..., Classifier]

MakeFloretTable = Callable[..., tuple[FloretHashing, "np.ndarray[Any, Any]"]]
AsFloret = Callable[..., Embeddings]

# Measurement data that is not part of the repository; it may lie beside a clone.
_ALLOWED_REASON = "../shared"


@dataclasses.dataclass(frozen=True)
class Gpu:
    """The GPU's backends, as they are and with one program, whose order is the reference's.

    Attributes
    ----------
    interpreted : bool
        Whether there is no GPU, and Triton's interpreter runs the kernels.
    """

    words: Any
    texts: Any
    one_program: Any
    one_classifier_program: Any
    interpreted: bool


@pytest.fixture(scope="session")
def gpu() -> Gpu:
    """On the GPU, or without one in Triton's interpreter."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-gpu")
    interpreted = not torch.cuda.is_available()
    with pytest.MonkeyPatch.context() as patch:
        # For a moment only: programs that tests start would take it for a GPU.
        patch.setenv("TRITON_INTERPRET", str(int(interpreted)))
        triton = pytest.importorskip("triton", reason="Triton is not installed: make test-gpu")
    if interpreted:
        triton.knobs.propagate_env = False
        triton.knobs.runtime.interpret = True
        _interpret_faster()
    from brasa.backends.gpu.text_classifier import GpuClassifierBackend
    from brasa.backends.gpu.word_vectors import GpuBackend

    return Gpu(
        GpuBackend,
        GpuClassifierBackend,
        type("OneProgram", (GpuBackend,), {"programs": 1}),
        type("OneClassifierProgram", (GpuClassifierBackend,), {"programs": 1}),
        interpreted,
    )


def _interpret_faster() -> None:
    """Have Triton's interpreter prepare its language once for a kernel, not for each function.

    That takes half of the time of kernels as small as the tests'.
    """
    from triton import language
    from triton.runtime import interpreter

    prepare = interpreter._patch_lang
    prepared = False

    class Prepared:
        def restore(self) -> None:
            """The kernel's own will."""

    def once(function: Any) -> Any:
        nonlocal prepared
        if prepared:
            return Prepared()
        modules = {"tl": language, "core": language.core}
        scope = prepare(types.SimpleNamespace(__globals__=modules))
        restore = scope.restore

        def end() -> None:
            nonlocal prepared
            prepared = False
            restore()

        prepared, scope.restore = True, end
        return scope

    interpreter._patch_lang = once


@pytest.fixture
def make_embeddings() -> MakeEmbeddings:
    """A function that makes a model with random rows, by default of eleven words with subwords."""

    def make(
        words: Sequence[str] = WORDS, *, seed: int = 1, padding: int = 0, **config: Any
    ) -> Embeddings:
        config = {"vector_dim": 20, "subwords": True, "buckets": 5000, **config}
        hyperparameters = WordVectorsConfig(**config)
        random = np.random.default_rng(seed)
        counts = np.arange(len(words) + 4, 4, -1)
        vocabulary = Vocabulary.from_words(list(words), counts, int(counts.sum()) + 7)
        bucket_ids = np.empty(0, np.uint32)
        if hyperparameters.subwords:
            ngrams = Subwords(
                hyperparameters.min_char, hyperparameters.max_char, hyperparameters.buckets
            )
            used = [ngrams.bucket_ids(word) for word in words]
            bucket_ids = np.unique(np.concatenate(used)).astype(np.uint32)
        dim = hyperparameters.vector_dim
        rows = random.normal(size=(len(words) + len(bucket_ids), dim + padding))
        return Embeddings(
            vocabulary=vocabulary,
            config=hyperparameters,
            input=rows.astype(np.float32)[:, :dim],
            output=random.normal(size=(len(words), dim + padding)).astype(np.float32)[:, :dim],
            bucket_ids=bucket_ids,
            metadata={"brasa_version": "0.0", "loss_history": [[0.5, 2.25], [1.0, 2.0]]},
        )

    return make


@pytest.fixture(scope="session")
def make_classifier() -> MakeClassifier:
    """A function that makes a classifier with random rows, by default of 400 words."""

    def make(
        n_words: int = 400, n_labels: int = 300, *, dim: int = 7, buckets: int = 90, **changes: Any
    ) -> Classifier:
        random = np.random.default_rng(7)
        words = ["the", "</s>", *(f"w{i}" for i in range(n_words - 2))]
        labels = [f"__label__{i}" for i in range(n_labels)]
        plain = Classifier(
            vocabulary=Vocabulary.from_words(words, np.arange(n_words, 0, -1), 9000),
            labels=Vocabulary.from_words(labels, np.arange(n_labels, 0, -1), 9000),
            loss="softmax",
            word_ngrams=2,
            min_char=0,
            max_char=0,
            buckets=buckets,
            input=random.normal(size=(n_words + buckets, dim)).astype(np.float32),
            output=random.normal(size=(n_labels, dim)).astype(np.float32),
            bucket_ids=np.arange(buckets, dtype=np.uint32),
        )
        return dataclasses.replace(plain, **changes)

    return make


@pytest.fixture(scope="session")
def flip() -> Flip:
    """A function that changes one to four bytes of a file, half of them among the first `head`."""

    def flipped(data: st.DataObject, content: bytes, head: int) -> bytes:
        broken = bytearray(content)
        last = len(broken) - 1
        for _ in range(data.draw(st.integers(1, 4))):
            anywhere = st.integers(0, last)
            place = data.draw(st.one_of(st.integers(0, min(head, last)), anywhere))
            broken[place] = data.draw(st.integers(0, 255))
        return bytes(broken)

    return flipped


@pytest.fixture
def make_floret_table() -> MakeFloretTable:
    """A function that writes a table of floret's, and returns its hashing and its rows."""

    def make(tmp_path: Path, dim: int = 6, **fields: Any) -> tuple[FloretHashing, np.ndarray]:
        values = {"min_char": 3, "max_char": 5, "hash_count": 2, "seed": 2166136261, "buckets": 500}
        hashing = FloretHashing(**{**values, **fields})
        rows = np.random.default_rng(4).normal(size=(hashing.buckets, dim)).astype(np.float32)
        header = (
            f"{hashing.buckets} {dim} {hashing.min_char} {hashing.max_char} {hashing.hash_count} "
        )
        header += f"{hashing.seed} {hashing.begin} {hashing.end}\n"
        lines = (f"{i} " + "".join(f"{x:.5g} " for x in row) + "\n" for i, row in enumerate(rows))
        (tmp_path / "table").write_text(header + "".join(lines), encoding="utf-8")
        return hashing, np.array([[float(f"{x:.5g}") for x in row] for row in rows])

    return make


@pytest.fixture
def as_floret() -> AsFloret:
    """A function that makes a model as floret trains it out of one with fastText's n-grams."""

    def make(model: Embeddings, **fields: Any) -> Embeddings:
        """A model as floret trains it: words with their rows, and a table."""
        config = model.config
        hashing = FloretHashing(config.min_char, config.max_char, 2, 2166136261, 300, **fields)
        n_words, dim = len(model.vocabulary), config.vector_dim
        rows = np.random.default_rng(2).normal(size=(n_words + 300, dim)).astype(np.float32)
        ids = np.arange(300, dtype=np.uint32)
        return Embeddings(
            model.vocabulary, config, rows, model.output, ids, model.metadata, floret=hashing
        )

    return make


@pytest.fixture
def model_folder(tmp_path: Path, make_embeddings: MakeEmbeddings) -> Path:
    """A saved model."""
    from brasa.formats import native

    folder = tmp_path / "model"
    native.write(make_embeddings(), folder)
    return folder


def pytest_configure() -> None:
    """Hear Ctrl-C: a shell starts its background jobs deaf to it, and tests inherit that."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _forbidden(config: pytest.Config) -> list[str]:
    """Tests that were skipped in CI, where everything they could need has been installed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None:
        return []
    reports = reporter.stats.get("skipped", [])
    reasons = {report.nodeid: str(report.longrepr) for report in reports}
    return [f"{name}: {why}" for name, why in reasons.items() if _ALLOWED_REASON not in why]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.OK and _forbidden(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _forbidden(terminalreporter.config):
        terminalreporter.write_line(f"skipped in CI, which counts as a failure: {line}", red=True)


# Software WebGL; and no look-ups of hosts that are none of ours.
_CHROMIUM_FLAGS = (
    "--no-sandbox", "--no-first-run", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
)  # fmt: skip

OpenPage = Callable[..., "playwright.Page"]


@pytest.fixture(scope="session")
def browser() -> Iterator[playwright.Browser]:
    """Headless Chromium."""
    from playwright import sync_api as playwright

    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    playwright.expect.set_options(timeout=20_000)  # of a busy machine
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=path, args=_CHROMIUM_FLAGS)
        yield found
        found.close()


@pytest.fixture
def open_page(browser: playwright.Browser) -> Iterator[OpenPage]:
    """Open an address. At the end: nothing was asked of elsewhere, and nothing complained."""
    contexts: list[playwright.BrowserContext] = []
    foreign: list[str] = []
    complaints: list[str] = []

    def open_it(address: str, **options: Any) -> playwright.Page:
        options = {"locale": "en-US", "viewport": {"width": 1100, "height": 800}} | options
        context = browser.new_context(**options)
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        own = address.split("#")[0]

        def asked(request: playwright.Request) -> None:
            if not request.url.startswith((own, "data:", "blob:")):
                foreign.append(request.url)

        page.on("request", asked)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert not foreign
    assert not complaints


MakeDisk = Callable[[str], Path]


@pytest.fixture
def make_disk(tmp_path: Path) -> Iterator[MakeDisk]:
    """Make a folder that is a file system of its own, of a size such as "3g".

    Only root can: for others it is a plain folder.
    """
    mounted: list[Path] = []

    def make(size: str) -> Path:
        folder = tmp_path / f"disk-{size}"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "brasa-test", str(folder)]
        if os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0:
            mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)
