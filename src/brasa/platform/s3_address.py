"""Addresses in the object store."""

from __future__ import annotations

import re
from dataclasses import dataclass

from brasa.platform.errors import invalid

_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.\-]{1,61}[a-z0-9])(?:/(.*))?", re.DOTALL)


@dataclass(frozen=True)
class S3Address:
    """``s3://bucket/key``, where the key may be a prefix of keys, or empty."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> S3Address:
        """Raises `AwsError` when it is no such address."""
        found = _ADDRESS.fullmatch(text)
        if not found:
            raise invalid(f"{text!r} is no address in S3: it must be s3://bucket/key.")
        return cls(found[1], found[2] or "")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def __truediv__(self, name: str) -> S3Address:
        return S3Address(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))
