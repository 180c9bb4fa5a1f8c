"""SageMaker Runtime: a request goes on to its endpoint's process, and the answer comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brasa.platform import logs
from brasa.platform.container_client import ContainerError
from brasa.platform.errors import AwsError
from brasa.serving.deadlines import Deadline

if TYPE_CHECKING:
    from brasa.platform.container_client import ContainerClient
    from brasa.platform.context import Platform
    from brasa.platform.endpoints import Serving

_ANSWER_S = 60.0  # as AWS's
_WHOLE = 1 << 20  # answers up to this size are sent in one piece
_ON = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes")
_BACK = ("content-type", "x-amzn-sagemaker-custom-attributes")
_VARIANT = "x-amzn-invoked-production-variant"


class Invocations:
    """Answers InvokeEndpoint.

    Parameters
    ----------
    platform : Platform
    containers : ContainerClient
    """

    def __init__(self, platform: Platform, containers: ContainerClient) -> None:
        self._platform = platform
        self._containers = containers
        self._deadline = Deadline(_ANSWER_S)

    async def answer(self, name: str, scope: Any, protocol: Any, body: bytes) -> None:
        """Answer one of the endpoint `name`.

        Raises
        ------
        AwsError
            ``ValidationError`` for an endpoint that there is not, ``ModelError`` for what its
            process refuses: clients do not repeat that one.
        """
        endpoint = self._platform.endpoints.serving(name)
        if endpoint is None:
            raise AwsError("ValidationError", f"Endpoint {name} of account not found.")
        try:
            await self._deadline.wait(self._pass_on(name, endpoint, scope, protocol, body))
        except TimeoutError:
            text = f"the model did not answer within {_ANSWER_S:g} s"
            raise self._model_error(name, endpoint, 504, text) from None
        except ContainerError as error:
            message = f"Endpoint {name} does not answer: {error}"
            raise AwsError("ServiceUnavailable", message, 503) from None

    async def _pass_on(
        self, name: str, endpoint: Serving, scope: Any, protocol: Any, body: bytes
    ) -> None:
        headers = {n: value for n in _ON if (value := scope.headers.get(n)) is not None}
        async with self._containers.post(endpoint.port, "/invocations", headers, body) as answer:
            if answer.status != 200:
                text = (await answer.read()).decode(errors="replace")
                raise self._model_error(name, endpoint, answer.status, text)
            back = [(_VARIANT, endpoint.variant)]
            back += [(n, answer.headers[n]) for n in _BACK if n in answer.headers]
            length = answer.headers.get("content-length")
            # Of a stream without a length, Granian would write an end after whatever had come.
            if length is None or int(length) < _WHOLE:
                protocol.response_bytes(200, back, await answer.read())
                return
            stream = protocol.response_stream(200, [*back, ("content-length", length)])
            async for piece in answer.pieces():
                await stream.send_bytes(piece)

    def _model_error(self, name: str, endpoint: Serving, status: int, text: str) -> AwsError:
        side = "client" if status < 500 else "server"
        message = f'Received {side} error ({status}) from primary with message "{text[:1000]}".'
        group = f"arn:aws:logs:::log-group:{logs.ENDPOINT_GROUP}"
        fields: dict[str, object] = {
            "OriginalStatusCode": status,
            "OriginalMessage": text[:10_000],
            "LogStreamArn": f"{group}/{name}:{endpoint.stream}",
        }
        return AwsError("ModelError", message, 424, fields)
