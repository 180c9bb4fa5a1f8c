"""The page and its files, which come with the package."""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib import resources

from brasa.serving.http import Request, Response

# Nothing may be fetched from elsewhere, whatever the page is made to say. The map's shaders are put
# together by regl as functions, which needs 'unsafe-eval'; its index is built in a worker.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; worker-src 'self' blob:; "
    "img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def static_file(request: Request) -> Response | None:
    """A file of the page; None for a name that is none of them."""
    name = request.path.removeprefix("/") or "index.html"
    content = _files().get(name)
    if content is None:
        return None
    body, tag = content
    headers = [
        ("etag", tag),
        ("cache-control", "no-cache"),
        ("content-security-policy", _POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ]
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind.startswith("text/") or kind == "application/json":
        kind += "; charset=utf-8"
    if request.headers.get("if-none-match") == tag:
        return Response(b"", kind, 304, headers)
    return Response(body, kind, headers=headers)


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    """All files by name, with their tags: a name outside of the folder is none of them."""
    root = resources.files("brasa.serving") / "static"
    found = {}
    folders = [("", root)]
    while folders:
        prefix, folder = folders.pop()
        for entry in folder.iterdir():
            if entry.is_dir():
                folders.append((f"{prefix}{entry.name}/", entry))
            else:
                content = entry.read_bytes()
                tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
                found[prefix + entry.name] = content, tag
    return found
