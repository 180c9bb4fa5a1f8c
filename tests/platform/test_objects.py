"""S3 through the platform, as boto3 uses it."""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from brasa.platform import signatures


@pytest.fixture(scope="module")
def s3(platform: Any) -> Any:
    client = platform.client("s3")
    client.create_bucket(Bucket="objects")
    return client


def test_buckets_are_made_and_found(s3: Any) -> None:
    with pytest.raises(ClientError) as missing:
        s3.head_bucket(Bucket="no-such-bucket")
    assert missing.value.response["Error"] == {"Code": "404", "Message": "Not Found"}
    s3.head_bucket(Bucket="objects", ExpectedBucketOwner="000000000000")
    assert "objects" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_a_bucket_has_to_be_made_first(s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="no-such-bucket", Key="key", Body=b"x")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.create_multipart_upload(Bucket="no-such-bucket", Key="key")
    s3.create_bucket(Bucket="goes-again")
    s3.delete_bucket(Bucket="goes-again")
    assert "goes-again" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_a_small_disk_takes_many_buckets(platform: Any, make_disk: Any) -> None:
    with_small_disk = type(platform)(make_disk("3g") / "data")
    with_small_disk.start()
    try:
        s3 = with_small_disk.client("s3")
        for i in range(8):
            s3.create_bucket(Bucket=f"bucket-{i}")
            s3.put_object(Bucket=f"bucket-{i}", Key="key", Body=b"x" * 100_000)
        assert s3.head_object(Bucket="bucket-7", Key="key")["ContentLength"] == 100_000
    finally:
        with_small_disk.stop()


def test_large_objects_go_in_parts_and_come_back_in_ranges(s3: Any) -> None:
    data = os.urandom(20 << 20)
    s3.upload_fileobj(io.BytesIO(data), "objects", "large/text 8+é")
    back = io.BytesIO()
    s3.download_fileobj("objects", "large/text 8+é", back)
    assert back.getvalue() == data
    part = s3.get_object(Bucket="objects", Key="large/text 8+é", Range="bytes=1000-1999")
    assert part["Body"].read() == data[1000:2000]
    assert s3.head_object(Bucket="objects", Key="large/text 8+é")["ContentLength"] == 20 << 20


def test_lists_have_pages_prefixes_and_folders(s3: Any) -> None:
    for name in ("p/train/a", "p/train/b", "p/training2/c", "p/train"):
        s3.put_object(Bucket="objects", Key=name, Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="objects", Prefix="p/train", PaginationConfig={"PageSize": 1}
    )
    found = [entry["Key"] for page in pages for entry in page["Contents"]]
    assert found == ["p/train", "p/train/a", "p/train/b", "p/training2/c"]
    folders = s3.list_objects_v2(Bucket="objects", Prefix="p/", Delimiter="/")
    assert [f["Prefix"] for f in folders["CommonPrefixes"]] == ["p/train/", "p/training2/"]
    s3.delete_object(Bucket="objects", Key="p/train")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="objects", Key="p/train")


def test_a_wrong_checksum_is_refused(s3: Any) -> None:
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket="objects", Key="bad", Body=b"hello", ChecksumCRC32="AAAAAA==")
    with pytest.raises(ClientError):
        s3.head_object(Bucket="objects", Key="bad")


def test_a_body_that_was_not_signed_is_refused(platform: Any, s3: Any) -> None:
    address = "/objects/changed"
    headers = _sign(platform, "PUT", address, hashlib.sha256(b"signed").hexdigest())
    answer = httpx.put(platform.url + address, headers=headers, content=b"forged")
    assert answer.status_code == 400
    assert "XAmzContentSHA256Mismatch" in answer.text
    with pytest.raises(ClientError):
        s3.head_object(Bucket="objects", Key="changed")


def test_unsigned_payloads_and_presigned_addresses_are_taken(platform: Any, s3: Any) -> None:
    config = Config(s3={"payload_signing_enabled": False})
    platform.client("s3", config=config).put_object(Bucket="objects", Key="plain", Body=b"abc")
    signer = platform.client("s3", config=Config(signature_version="s3v4"))
    address = signer.generate_presigned_url("get_object", {"Bucket": "objects", "Key": "plain"})
    assert httpx.get(address).content == b"abc"
    assert httpx.get(address.replace("plain", "other")).status_code == 403


def test_chunks_that_are_signed_one_by_one(platform: Any, s3: Any) -> None:
    pieces = [b"a" * 65536, b"b" * 100]
    assert _put_chunks(platform, "chunks", pieces, forge=False).status_code == 200
    assert s3.get_object(Bucket="objects", Key="chunks")["Body"].read() == b"".join(pieces)
    for forged_pieces in (pieces, [b"b"]):
        forged = _put_chunks(platform, "forged", forged_pieces, forge=True)
        assert forged.status_code == 403
        assert "SignatureDoesNotMatch" in forged.text
        with pytest.raises(ClientError):
            s3.head_object(Bucket="objects", Key="forged")


def _sign(platform: Any, method: str, path: str, payload: str, **more: str) -> dict[str, str]:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    host = platform.url.removeprefix("http://")
    headers = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": stamp, **more}
    names = sorted(headers)
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    request = signatures.canonical_request(method, path, "", headers, names, payload, "s3")
    text = signatures.string_to_sign(stamp, scope, request)
    secret = platform.variables["AWS_SECRET_ACCESS_KEY"]
    key = signatures.signing_key(secret, stamp[:8], "us-east-1", "s3")
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{platform.variables['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return headers


def _put_chunks(platform: Any, key: str, pieces: list[bytes], *, forge: bool) -> httpx.Response:
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    length = str(sum(map(len, pieces)))
    more = {"x-amz-decoded-content-length": length, "content-encoding": "aws-chunked"}
    headers = _sign(platform, "PUT", f"/objects/{key}", payload, **more)
    stamp = headers["x-amz-date"]
    secret = platform.variables["AWS_SECRET_ACCESS_KEY"]
    signing = signatures.signing_key(secret, stamp[:8], "us-east-1", "s3")
    previous = headers["authorization"].rpartition("=")[2]

    def body() -> Iterator[bytes]:
        nonlocal previous
        for piece in [*pieces, b""]:
            digest = hashlib.sha256(piece).hexdigest()
            parts = ("AWS4-HMAC-SHA256-PAYLOAD", stamp, f"{stamp[:8]}/us-east-1/s3/aws4_request")
            text = "\n".join((*parts, previous, signatures.EMPTY_HASH, digest))
            previous = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
            sent = piece.replace(b"b", b"c") if forge else piece
            yield f"{len(piece):x};chunk-signature={previous}\r\n".encode() + sent + b"\r\n"

    content = b"".join(body())
    headers["content-length"] = str(len(content))
    return httpx.put(f"{platform.url}/objects/{key}", headers=headers, content=content)
