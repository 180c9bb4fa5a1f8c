"""What a server may do: one dataclass, filled by the command line and by SageMaker's variables."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from brasa.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ServerOptions:
    """Limits and addresses of a server.

    Attributes
    ----------
    host : str
    port : int
        0 for any free one.
    workers : int
        Processes; they share the models' pages.
    max_body_bytes : int
        Larger bodies are answered with 413.
    body_timeout_s : float
        A body that has not arrived by then is answered with 408.
    max_batch : int
        Words or texts in one request; more are answered with 413.
    max_waiting : int
        Requests at work or waiting in one worker; more are answered with 429.
    drain_s : float
        How long requests at work may go on after SIGTERM.
    api_key : str or None
        What ``Authorization: Bearer`` must say, except for ``/ping`` and ``/metrics``.
    cors_origins : tuple of str
        Origins whose pages may read answers.
    models_folder : str or None
        Where ``POST /models`` may load from.
    watch_s : float
        How often it is looked whether a model was replaced; 0: only at SIGHUP.
    log_requests : bool
    """

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    max_body_bytes: int = 6 << 20  # as Amazon SageMaker's
    body_timeout_s: float = 10.0
    max_batch: int = 10_000
    max_waiting: int = 512
    drain_s: float = 25.0
    api_key: str | None = None
    cors_origins: tuple[str, ...] = ()
    models_folder: str | None = None
    watch_s: float = 5.0
    log_requests: bool = True

    def with_environment(self, environment: Mapping[str, str] = os.environ) -> ServerOptions:
        """These options, but for what SageMaker's inference containers are told by variables.

        ``SAGEMAKER_BIND_TO_PORT``, ``SAGEMAKER_MAX_PAYLOAD_IN_MB`` and
        ``SAGEMAKER_MODEL_SERVER_WORKERS``.

        Raises
        ------
        ConfigError
            When one is no number, or an impossible one.
        """

        def number(name: str, default: int, low: int, high: int) -> int:
            text = environment.get(name)
            if not text:
                return default
            if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
                raise ConfigError(name, text, f"a whole number from {low} to {high}")
            return int(text)

        megabytes = number("SAGEMAKER_MAX_PAYLOAD_IN_MB", 0, 1, 1024)
        return replace(
            self,
            port=number("SAGEMAKER_BIND_TO_PORT", self.port, 1, 65535),
            workers=number("SAGEMAKER_MODEL_SERVER_WORKERS", self.workers, 1, 1024),
            max_body_bytes=megabytes << 20 if megabytes else self.max_body_bytes,
        )
