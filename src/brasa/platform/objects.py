"""The object store: the user's own, or the embedded one; as the platform itself uses it."""

from __future__ import annotations

import fcntl
import os
import threading
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

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
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from brasa.platform.folder import KeyPair
    from brasa.platform.s3_address import S3Address

_PIPE = 1 << 20


class ObjectError(BrasaError):
    """What was asked for is not in the store, or the store does not take it."""


class ObjectStore:
    """An S3 that keeps what jobs read and write.

    Parameters
    ----------
    endpoint : str
        Its address.
    key : KeyPair, optional
        Its key; without one botocore finds one where it always does: variables, profiles, roles.
    bucket_key : KeyPair, optional
        For requests that make or delete buckets.
    region : str

    Raises
    ------
    ObjectError
        When there is no key.
    """

    def __init__(
        self,
        endpoint: str,
        key: KeyPair | None = None,
        bucket_key: KeyPair | None = None,
        region: str = "us-east-1",
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.region = region
        session = Session(
            aws_access_key_id=key.access_key if key else None,
            aws_secret_access_key=key.secret_key if key else None,
            region_name=region,
        )
        credentials = session.get_credentials()
        if credentials is None:
            raise ObjectError(
                f"no key for {endpoint}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        self._credentials = self._bucket_credentials = credentials
        if bucket_key is not None:
            self._bucket_credentials = botocore.credentials.Credentials(
                bucket_key.access_key, bucket_key.secret_key
            )
        self._client = session.client(
            "s3",
            endpoint_url=self.endpoint,
            config=botocore.config.Config(
                s3={"addressing_style": "path", "payload_signing_enabled": key is None},
                request_checksum_calculation="when_required" if key else "when_supported",
                retries={"max_attempts": 8, "mode": "standard"},
                max_pool_connections=32,
            ),
        )
        # Of 2 to 4 threads and parts of 8 to 64 MB the fastest on two cores, by a tenth. An object
        # has 10,000 parts at most: 80 GB.
        self._transfer_config = TransferConfig(multipart_chunksize=8 << 20, max_concurrency=4)
        self._transfer = S3Transfer(self._client, self._transfer_config)

    def url(self, path: str, query: str) -> str:
        """Address of a request that is passed on."""
        return f"{self.endpoint}{path}" + (f"?{query}" if query else "")

    def signed(
        self, method: str, url: str, headers: dict[str, str], payload_hash: str
    ) -> dict[str, str]:
        """A request's headers with the signature of the store's key."""
        request = botocore.awsrequest.AWSRequest(method, url, headers=headers)
        request.headers["X-Amz-Content-SHA256"] = payload_hash
        of_bucket = method in ("PUT", "DELETE") and urlsplit(url).path.count("/") == 1
        credentials = self._bucket_credentials if of_bucket else self._credentials
        signer = _Signer(credentials, "s3", self.region)
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
            raise self._told(prefix, error) from None

    def read(self, address: S3Address) -> bytes:
        """A small object."""
        try:
            answer = self._client.get_object(Bucket=address.bucket, Key=address.key)
            return bytes(answer["Body"].read())
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise self._told(address, error) from None

    def download(self, address: S3Address, file: Path) -> None:
        """An object into a file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._transfer.download_file(address.bucket, address.key, str(file))
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise self._told(address, error) from None

    def upload(self, file: Path, address: S3Address) -> None:
        """A file into an object, which appears whole or not at all."""
        try:
            self._transfer.upload_file(str(file), address.bucket, address.key)
        except (
            botocore.exceptions.ClientError,
            botocore.exceptions.BotoCoreError,
            _upload_failed(),
        ) as error:
            raise self._told(address, error) from None

    def write(self, address: S3Address, produce: Callable[[BinaryIO], None]) -> None:
        """What `produce` writes into a file becomes an object, which appears whole or not at all.

        It is sent while it is made, in a thread of its own.
        """
        read_end, write_end = os.pipe()
        if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux; 64 KB a turn take twice as long
            fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, _PIPE)
        failed: list[Exception] = []

        def work() -> None:
            try:
                with os.fdopen(write_end, "wb", buffering=_PIPE) as sink:
                    produce(sink)
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=work, daemon=True)
        try:
            with os.fdopen(read_end, "rb", buffering=_PIPE) as source:
                thread.start()
                stream = _Produced(source, thread, failed)
                self._client.upload_fileobj(
                    stream, address.bucket, address.key, Config=self._transfer_config
                )
        except (
            botocore.exceptions.ClientError,
            botocore.exceptions.BotoCoreError,
            _upload_failed(),
        ) as error:
            raise self._told(address, error) from None
        finally:
            thread.join()

    def delete(self, address: S3Address) -> None:
        """Forget an object."""
        try:
            self._client.delete_object(Bucket=address.bucket, Key=address.key)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise self._told(address, error) from None

    def gives_objects(self) -> bool:
        """Whether the first object that there is can be read; True when there is none.

        A store that has just started may answer before it has found what it keeps.
        """
        try:
            for bucket in self._client.list_buckets()["Buckets"]:
                found = self._client.list_objects_v2(Bucket=bucket["Name"], MaxKeys=20)
                for entry in found.get("Contents", ()):
                    if entry["Size"]:
                        place = {"Bucket": bucket["Name"], "Key": entry["Key"]}
                        self._client.get_object(**place, Range="bytes=0-0")["Body"].read()
                        return True
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            return False
        return True

    def has_bucket(self, name: str) -> bool:
        """Whether there is a bucket, as far as the store tells."""
        try:
            self._client.head_bucket(Bucket=name)
        except botocore.exceptions.ClientError as error:
            return bool(error.response.get("Error", {}).get("Code") != "404")
        except botocore.exceptions.BotoCoreError:
            return True
        return True

    def _told(self, address: S3Address, error: Exception) -> ObjectError:
        cause = error.__context__ if isinstance(error, _upload_failed()) else error
        response = getattr(cause, "response", {}).get("Error", {})
        code = response.get("Code")
        # SeaweedFS denies access to what is in no bucket.
        if code == "NoSuchBucket" or not self.has_bucket(address.bucket):
            return ObjectError(f"{address}: there is no such bucket")
        if code in ("404", "NotFound", "NoSuchKey"):
            return ObjectError(f"{address}: there is no such object")
        return ObjectError(f"{address}: {response.get('Message') or error}")


class _Produced:
    """What a thread writes, as the client reads it: not to its end, when the thread has failed."""

    def __init__(self, source: BinaryIO, thread: threading.Thread, failed: list[Exception]) -> None:
        self._source, self._thread, self._failed = source, thread, failed

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        if not data:
            self._thread.join()
            if self._failed:
                raise self._failed[0]
        return data


class _Signer(botocore.auth.S3SigV4Auth):  # type: ignore[misc]
    """Signs a payload that the signer does not see."""

    payload_hash = "UNSIGNED-PAYLOAD"

    def payload(self, request: Any) -> str:
        return self.payload_hash


def _upload_failed() -> type[Exception]:
    from boto3.exceptions import S3UploadFailedError

    failed: type[Exception] = S3UploadFailedError
    return failed
