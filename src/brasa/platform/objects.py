"""The object store: the user's own, or the embedded one; as the platform itself uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session
from boto3.s3.transfer import S3Transfer, TransferConfig
from boto3.session import Session

from brasa.errors import BrasaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from brasa.platform.s3_address import S3Address


class ObjectError(BrasaError):
    """What was asked for is not in the store, or the store does not take it."""


class ObjectStore:
    """An S3 that keeps what jobs read and write.

    Parameters
    ----------
    endpoint : str
        Its address.
    access_key, secret_key : str, optional
        Its key; without one botocore finds one where it always does: variables, profiles, roles.
    region : str

    Raises
    ------
    ObjectError
        When there is no key.
    """

    def __init__(
        self,
        endpoint: str,
        access_key: str | None = None,
        secret_key: str | None = None,
        region: str = "us-east-1",
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.region = region
        session = Session(
            aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region
        )
        credentials = session.get_credentials()
        if credentials is None:
            raise ObjectError(
                f"no key for {endpoint}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        self._credentials = credentials
        self._client = session.client(
            "s3",
            endpoint_url=self.endpoint,
            config=botocore.config.Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 5, "mode": "standard"},
                max_pool_connections=32,
            ),
        )
        # 8 threads of 64 MB parts: the embedded store takes 0.4 GB/s so.
        config = TransferConfig(multipart_chunksize=64 << 20, max_concurrency=8)
        self._transfer = S3Transfer(self._client, config)

    def url(self, path: str, query: str) -> str:
        """Address of a request that is passed on."""
        return f"{self.endpoint}{path}" + (f"?{query}" if query else "")

    def signed(
        self, method: str, url: str, headers: dict[str, str], payload_hash: str
    ) -> dict[str, str]:
        """A request's headers with the signature of the store's key."""
        request = botocore.awsrequest.AWSRequest(method, url, headers=headers)
        request.headers["X-Amz-Content-SHA256"] = payload_hash
        signer = _Signer(self._credentials, "s3", self.region)
        signer.payload_hash = payload_hash
        signer.add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}

    def list(self, prefix: S3Address) -> Iterator[tuple[str, int]]:
        """Keys that begin with the prefix's, and their sizes."""
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=prefix.bucket, Prefix=prefix.key):
                for found in page.get("Contents", ()):
                    yield found["Key"], found["Size"]
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise _told(prefix, error) from None

    def read(self, address: S3Address) -> bytes:
        """A small object."""
        try:
            answer = self._client.get_object(Bucket=address.bucket, Key=address.key)
            return bytes(answer["Body"].read())
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise _told(address, error) from None

    def download(self, address: S3Address, file: Path) -> None:
        """An object into a file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._transfer.download_file(address.bucket, address.key, str(file))
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise _told(address, error) from None

    def upload(self, file: Path, address: S3Address) -> None:
        """A file into an object, which appears whole or not at all."""
        try:
            self._transfer.upload_file(str(file), address.bucket, address.key)
        except (
            botocore.exceptions.ClientError,
            botocore.exceptions.BotoCoreError,
            _upload_failed(),
        ) as error:
            raise _told(address, error) from None

    def delete(self, address: S3Address) -> None:
        """Forget an object."""
        try:
            self._client.delete_object(Bucket=address.bucket, Key=address.key)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise _told(address, error) from None


class _Signer(botocore.auth.S3SigV4Auth):  # type: ignore[misc]
    """Signs a payload that the signer does not see."""

    payload_hash = "UNSIGNED-PAYLOAD"

    def payload(self, request: Any) -> str:
        return self.payload_hash


def _upload_failed() -> type[Exception]:
    from boto3.exceptions import S3UploadFailedError

    failed: type[Exception] = S3UploadFailedError
    return failed


def _told(address: S3Address, error: Exception) -> ObjectError:
    response = getattr(error, "response", {}).get("Error", {})
    code = response.get("Code")
    if code in ("NoSuchBucket", "404", "NotFound", "NoSuchKey"):
        what = "there is no such object" if code != "NoSuchBucket" else "there is no such bucket"
        return ObjectError(f"{address}: {what}")
    return ObjectError(f"{address}: {response.get('Message') or error}")
