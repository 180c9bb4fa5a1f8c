"""Requests checked against AWS's own description of its services, which comes with botocore.

The sentences are AWS's: "1 validation error detected: Value null at 'x' failed to satisfy
constraint: Member must not be null".
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from brasa.platform.errors import AwsError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN_ERRORS = 10


@cache
def _model(service: str) -> Any:
    import botocore.loaders
    import botocore.model

    description = botocore.loaders.Loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(description, service)


def load(*services: str) -> None:
    """Read services' descriptions now rather than at the first request (about half a second)."""
    for service in services:
        _model(service)


def target_prefix(service: str) -> str:
    """What ``X-Amz-Target`` says before the operation's name."""
    return str(_model(service).metadata["targetPrefix"])


def check(service: str, operation: str, values: Any) -> dict[str, Any]:
    """A request's members, when they are what the operation takes.

    Raises
    ------
    AwsError
        ``ValidationException`` with all that is wrong.
    """
    if not isinstance(values, dict):
        raise AwsError("SerializationException", "the body must be a JSON object")
    shape = _model(service).operation_model(operation).input_shape
    problems = list(_problems(values, shape, "")) if shape else []
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise invalid(count + "; ".join(problems[:_SHOWN_ERRORS]))
    return values


def _problems(value: Any, shape: Any, where: str) -> Iterator[str]:
    check = _CHECKS.get(shape.type_name)
    if check is not None:
        yield from check(value, shape, where)


def _structure(value: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        raise _wrong_type(where, "a structure", value)
    for name in shape.required_members:
        if value.get(name) is None:
            yield _sentence("null", _below(where, name), "Member must not be null")
    for name, member in value.items():
        if name in shape.members and member is not None:
            yield from _problems(member, shape.members[name], _below(where, name))


def _list(value: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        raise _wrong_type(where, "a list", value)
    yield from _length(value, shape, where)
    for i, member in enumerate(value):
        yield from _problems(member, shape.member, f"{where}.{i + 1}.member")


def _map(value: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        raise _wrong_type(where, "a map", value)
    yield from _length(value, shape, where)
    for name, member in value.items():
        yield from _problems(name, shape.key, f"{where}.key")
        yield from _problems(member, shape.value, f"{where}.{name}.member")


def _string(value: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(value, str):
        raise _wrong_type(where, "a string", value)
    yield from _length(value, shape, where)
    # Which instance types there are says AWS anew each month; here they only count cores.
    if shape.enum and value not in shape.enum and not shape.name.endswith("InstanceType"):
        allowed = f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        yield _sentence(value, where, allowed)
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled and not compiled.fullmatch(value):
        needed = f"Member must satisfy regular expression pattern: {pattern}"
        yield _sentence(value, where, needed)


def _number(value: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise _wrong_type(where, "a number", value)
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        needed = f"Member must have value greater than or equal to {low}"
        yield _sentence(value, where, needed)
    if high is not None and value > high:
        yield _sentence(value, where, f"Member must have value less than or equal to {high}")


def _boolean(value: Any, shape: Any, where: str) -> Iterator[str]:
    if not isinstance(value, bool):
        raise _wrong_type(where, "a boolean", value)
    return iter(())


def _length(value: Any, shape: Any, where: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        needed = f"Member must have length greater than or equal to {low}"
        yield _sentence(value, where, needed)
    if high is not None and len(value) > high:
        needed = f"Member must have length less than or equal to {high}"
        yield _sentence(value, where, needed)


_CHECKS: dict[str, Any] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
}


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:  # Java's, and not Python's
        return None


def _below(where: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{where}.{name}" if where else name


def _sentence(value: Any, where: str, needed: str) -> str:
    shown = value if value == "null" else f"'{str(value)[:100]}'"
    return f"Value {shown} at '{where}' failed to satisfy constraint: {needed}"


def _wrong_type(where: str, needed: str, value: Any) -> AwsError:
    got = type(value).__name__
    return AwsError("SerializationException", f"{where or 'the body'} must be {needed}, not {got}")
