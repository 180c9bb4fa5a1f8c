"""Folders of the Hugging Face Hub: `model.bin` in fastText's format, and a README with metadata.

The Hub knows such a repository by ``library_name: fasttext`` in the front matter, and shows how to
open `model.bin` with the fasttext package.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brasa.errors import BrasaError, ConfigError, MissingExtraError, StorageError
from brasa.formats import fasttext
from brasa.formats.storage import new_file

if TYPE_CHECKING:
    import os
    from types import ModuleType

    from brasa.parameters import Embeddings

MODEL = "model.bin"
_README = "README.md"


def write(model: Embeddings, path: str | os.PathLike[str]) -> None:
    """Write the folder; a README that is there is kept.

    Raises
    ------
    StorageError
        When a file cannot be written; the model that was there is then untouched.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        described = (folder / _README).exists()
    except (OSError, ValueError) as error:
        raise StorageError(folder, f"cannot be made: {error}") from error
    fasttext.write(model, folder / MODEL)
    if not described:
        with new_file(folder / _README) as file:
            file.write(readme(model).encode())


def readme(model: Embeddings) -> str:
    """A model card: front matter, what the model is, and how to open it."""
    facts = f"{len(model.vocabulary):,} words, {model.config.vector_dim} dimensions"
    if model.config.subwords:
        facts += f", character n-grams from {model.config.min_char} to {model.config.max_char}"
    return f"""---
library_name: fasttext
tags:
- feature-extraction
---

Word vectors in fastText's format: {facts}.

```python
import brasa

brasa.load("model.bin")["word"]
```

```python
import fasttext
from huggingface_hub import hf_hub_download

model = fasttext.load_model(hf_hub_download("OWNER/NAME", "model.bin"))
```
"""


def push(
    model: Embeddings,
    repo_id: str,
    *,
    private: bool | None = None,
    token: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Write the folder into a repository of the Hub, made when it is missing.

    A README that is there is kept.

    Parameters
    ----------
    model : Embeddings
    repo_id : str
        ``"owner/name"``.
    private : bool, optional
        For a repository that is made: who may see it. Default: as the owner's settings say.
    token, endpoint : str, optional
        As in huggingface_hub, which finds its own by default.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    MissingExtraError
        When huggingface_hub is not installed.
    StorageError
        When the Hub refuses, or cannot be reached.
    """
    hub = _import("push_to_hub()")
    _check_repo_id(repo_id)
    with tempfile.TemporaryDirectory(prefix="brasa-hub-") as folder:
        write(model, folder)
        (Path(folder) / _README).write_text(readme(model).replace("OWNER/NAME", repo_id))
        try:
            api = hub.HfApi(endpoint=endpoint, token=token)
            api.create_repo(repo_id, private=private, exist_ok=True)
            skip = [_README] if api.file_exists(repo_id, _README) else None
            done = api.upload_folder(
                repo_id=repo_id, folder_path=folder, ignore_patterns=skip,
                commit_message="Add a model in fastText's format",
            )  # fmt: skip
        except BrasaError:
            raise
        except Exception as error:
            raise StorageError(repo_id, f"cannot be pushed to the Hub: {error}") from error
    return str(done.commit_url)


def pull(
    repo_id: str,
    *,
    filename: str = MODEL,
    revision: str | None = None,
    token: str | None = None,
    endpoint: str | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Path:
    """Bring a file of a repository into huggingface_hub's cache, if it is not there.

    Parameters
    ----------
    repo_id : str
        ``"owner/name"``.
    filename : str
        Of any format that `brasa.load` reads.
    revision : str, optional
        Branch, tag or commit.
    token, endpoint, cache_dir : optional
        As in huggingface_hub.

    Raises
    ------
    MissingExtraError
        When huggingface_hub is not installed.
    StorageError
        When there is no such file, or the Hub cannot be reached.
    """
    hub = _import("from_hub()")
    _check_repo_id(repo_id)
    try:
        return Path(
            hub.hf_hub_download(
                repo_id, filename, revision=revision, token=token, endpoint=endpoint,
                cache_dir=cache_dir,
            )
        )  # fmt: skip
    except Exception as error:
        raise StorageError(f"{repo_id}/{filename}", f"not found on the Hub: {error}") from error


def _check_repo_id(repo_id: Any) -> None:
    if not isinstance(repo_id, str) or repo_id.count("/") != 1 or not all(repo_id.split("/")):
        raise ConfigError("repo_id", repo_id, "the name of a repository, 'owner/name'")


def _import(purpose: str) -> ModuleType:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError:
        raise MissingExtraError("huggingface_hub", "hub", purpose) from None
