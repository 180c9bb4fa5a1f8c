"""The page on which people watch a platform: one file, built from ``web/platform.html``.

It asks the platform's own API with the platform's key, which its reader enters, so that nothing is
answered to it that would not be answered to another client.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any

_SCRIPT = re.compile(rb"<script[^>]*>(.*?)</script>", re.DOTALL)


def is_asked_for(scope: Any) -> bool:
    """Whether a browser asks for the page: AWS's clients sign what they send to ``/``."""
    return (
        scope.method == "GET"
        and scope.path in ("/", "/index.html")
        and not scope.query_string
        and "authorization" not in scope.headers
        and "text/html" in (scope.headers.get("accept") or "")
    )


def send(protocol: Any) -> None:
    """Answer with the page."""
    content, policy = _page()
    headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ]
    protocol.response_bytes(200, headers, content)


@cache
def _page() -> tuple[bytes, str]:
    """The file, and a policy that lets run its own script alone."""
    content = (resources.files("brasa.platform") / "platform.html").read_bytes()
    hashes = [
        base64.b64encode(hashlib.sha256(script).digest()).decode()
        for script in _SCRIPT.findall(content)
    ]
    scripts = " ".join(f"'sha256-{found}'" for found in hashes)
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return content, policy
