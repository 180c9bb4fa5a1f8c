"""What a client is refused with: AWS's code, status and sentence."""

from __future__ import annotations


class AwsError(Exception):
    """An answer with an error code, written in the protocol of the service that was asked.

    Attributes
    ----------
    code : str
        As AWS's clients know it: ``"ValidationException"``.
    message : str
    status : int
    fields : dict
        Further members of the error, for services that speak JSON.
    """

    def __init__(
        self, code: str, message: str, status: int = 400, fields: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields or {}


def invalid(message: str) -> AwsError:
    """A request that cannot be carried out as it is."""
    return AwsError("ValidationException", message)


def in_use(kind: str, arn: str) -> AwsError:
    """A name that is taken. AWS's own wording: clients look for "already exists" in it."""
    return AwsError("ResourceInUse", f"{kind} already exists: {arn}")


def limit_exceeded(message: str) -> AwsError:
    """More than the platform takes."""
    return AwsError("ResourceLimitExceeded", message)
