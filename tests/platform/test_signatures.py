"""Who may ask: signatures are compared with those of botocore's own signer."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import httpx
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from brasa.platform import signatures
from brasa.platform.errors import AwsError
from brasa.platform.folder import KeyPair

_KEY = KeyPair("AKIATEST", "secret/key+with=signs")
_HOST = "http://localhost:9000"


def _signed(
    signer: type[Any], service: str, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[str, dict[str, str]]:
    """Query and headers (names in lower case) of a request that botocore has signed."""
    request = AWSRequest(method, _HOST + path, data=body, headers={**headers})
    signer(Credentials(_KEY.access_key, _KEY.secret_key), service, "eu-west-1").add_auth(request)
    url = httpx.URL(request.url)
    found = {name.lower(): value for name, value in request.headers.items()}
    return url.query.decode(), {"host": "localhost:9000", **found}


def _verify(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes = b""
) -> KeyPair:
    signed = signatures.read(headers, query)
    assert signed is not None
    digest = headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()
    if signed.presigned:
        digest = signatures.UNSIGNED
    return signatures.verify(signed, [_KEY], method, path, query, headers, digest)


def test_a_json_request_that_botocore_signed_is_taken() -> None:
    query, headers = _signed(
        SigV4Auth, "sagemaker", "POST", "/", b"{}", **{"X-Amz-Target": "SageMaker.ListModels"}
    )
    assert _verify("POST", "/", query, headers, b"{}") is _KEY


@pytest.mark.parametrize("key", ["a/b", "a b", "a+b=c&d", "é/ü", "~x-_.y", "a//b", "100%"])
def test_keys_of_objects_are_encoded_as_botocore_does(key: str) -> None:
    from urllib.parse import quote

    path = "/bucket/" + quote(key, safe="/~")
    query, headers = _signed(S3SigV4Auth, "s3", "GET", path + "?list-type=2&prefix=a%20b%2Fc&x")
    assert _verify("GET", f"/bucket/{key}", query, headers) is _KEY


def test_a_presigned_address_is_taken_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    query, headers = _signed(S3SigV4QueryAuth, "s3", "GET", "/bucket/key")
    assert _verify("GET", "/bucket/key", query, headers) is _KEY
    later = time.time() + 3700
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(AwsError, match="expired"):
        _verify("GET", "/bucket/key", query, headers)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"method": "PUT"}, "InvalidSignatureException"),
        ({"path": "/other"}, "InvalidSignatureException"),
        ({"query": "a=2"}, "InvalidSignatureException"),
        ({"body": b"other"}, "InvalidSignatureException"),
        ({"host": "elsewhere"}, "InvalidSignatureException"),
        ({"x-amz-date": "20200101T000000Z"}, "InvalidSignatureException"),
        ({"x-amz-copy-source": "/b/k"}, "InvalidSignatureException"),
    ],
)
def test_a_request_that_was_changed_is_refused(change: dict[str, Any], code: str) -> None:
    query, headers = _signed(SigV4Auth, "sagemaker", "POST", "/x?a=1", b"{}")
    given: dict[str, Any] = {"method": "POST", "path": "/x", "query": query, "body": b"{}"}
    given |= {name: value for name, value in change.items() if name in given}
    headers |= {name: value for name, value in change.items() if name not in given}
    with pytest.raises(AwsError) as refused:
        _verify(given["method"], given["path"], given["query"], headers, given["body"])
    assert refused.value.code == code
    assert refused.value.status == 403


def test_an_old_request_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    query, headers = _signed(S3SigV4Auth, "s3", "GET", "/b/k")
    later = time.time() + 16 * 60
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(AwsError, match="too large") as refused:
        _verify("GET", "/b/k", query, headers)
    assert refused.value.code == "RequestTimeTooSkewed"


@pytest.mark.parametrize(
    ("service", "call", "unknown", "wrong"),
    [
        ("sagemaker", "list_models", "UnrecognizedClientException", "InvalidSignatureException"),
        ("logs", "describe_log_groups", "UnrecognizedClientException", "InvalidSignatureException"),
        ("sts", "get_caller_identity", "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ("s3", "list_buckets", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    ],
)
def test_strangers_are_refused_as_aws_refuses_them(
    platform: Any, service: str, call: str, unknown: str, wrong: str
) -> None:
    getattr(platform.client(service), call)()
    for options, code in (
        ({"aws_access_key_id": "AKIASTRANGER"}, unknown),
        ({"aws_secret_access_key": "guess"}, wrong),
    ):
        with pytest.raises(ClientError) as refused:
            getattr(platform.client(service, **options), call)()
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        (
            "POST",
            "/",
            {"x-amz-target": "SageMaker.ListModels", "content-type": "application/x-amz-json-1.1"},
            "MissingAuthenticationTokenException",
        ),
        ("POST", "/endpoints/x/invocations", {}, "MissingAuthenticationTokenException"),
        ("GET", "/texts/key", {}, "AccessDenied"),
        ("PUT", "/texts/key", {}, "AccessDenied"),
        (
            "POST",
            "/",
            {"content-type": "application/x-www-form-urlencoded"},
            "MissingAuthenticationToken",
        ),
        ("GET", "/", {"authorization": "Bearer x"}, "IncompleteSignature"),
    ],
)
def test_unsigned_requests_are_refused(
    platform: Any, method: str, path: str, headers: dict[str, str], code: str
) -> None:
    answer = httpx.request(method, platform.url + path, headers=headers, content=b"")
    assert answer.status_code in (400, 403)
    assert code in answer.text


def test_without_auth_only_loopback(start_platform: Any, tmp_path: Any) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "brasa.cli", "platform", "--data", str(tmp_path), "--no-auth"]
    refused = subprocess.run([*command, "--host", "0.0.0.0"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert "host='0.0.0.0' is not possible" in refused.stderr
