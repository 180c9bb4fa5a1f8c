"""Signature Version 4: who signed a request, and whether that is what was signed.

Canonical request, string to sign and derived key as in AWS's documentation, "Create a signed AWS
API request". The signer of botocore is the oracle of the tests.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from brasa.platform.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from brasa.platform.folder import KeyPair

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_HASH = hashlib.sha256().hexdigest()
_MAX_SKEW_S = 15 * 60
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+),\s*"
    r"SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_CREDENTIAL = re.compile(r"(.+)/([0-9]{8})/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Signed:
    """What an ``Authorization`` header (or a presigned address) says, not yet verified."""

    access_key: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str
    time: str
    presigned: bool = False

    @property
    def scope(self) -> str:
        """The credential scope: a signature holds for one day, region and service."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read(headers: Mapping[str, str], query: str) -> Signed | None:
    """Find who signed a request; None when nobody did.

    Raises
    ------
    AwsError
        ``IncompleteSignature`` for a signature that is not of this kind.
    """
    authorization = headers.get("authorization")
    if authorization is None:
        return _presigned(query) if "X-Amz-Signature=" in query else None
    found = _AUTHORIZATION.fullmatch(authorization.strip())
    credential = _CREDENTIAL.fullmatch(found["credential"]) if found else None
    if not found or not credential:
        raise _incomplete("Authorization must be of the form AWS4-HMAC-SHA256 Credential=...")
    stamp = headers.get("x-amz-date") or ""
    names = tuple(found["headers"].split(";"))
    return Signed(*_parts(credential), names, found["signature"], stamp)


def _presigned(query: str) -> Signed:
    values = dict(parse_qsl(query, keep_blank_values=True))
    credential = _CREDENTIAL.fullmatch(values.get("X-Amz-Credential", ""))
    if not credential or values.get("X-Amz-Algorithm") != ALGORITHM:
        raise _incomplete("X-Amz-Credential and X-Amz-Algorithm must say who signed and how")
    names = tuple(values.get("X-Amz-SignedHeaders", "").split(";"))
    stamp = values.get("X-Amz-Date", "")
    seconds = values.get("X-Amz-Expires", "")
    if not seconds.isdigit() or time.time() > _parsed(stamp) + int(seconds):
        raise AwsError("AccessDenied", "Request has expired", 403)
    return Signed(*_parts(credential), names, values["X-Amz-Signature"], stamp, presigned=True)


def _parts(credential: re.Match[str]) -> tuple[str, str, str, str]:
    return credential[1], credential[2], credential[3], credential[4]


def verify(
    signed: Signed,
    keys: Iterable[KeyPair],
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    payload_hash: str,
) -> KeyPair:
    """Refuse a request that its key did not sign.

    Parameters
    ----------
    path : str
        Decoded.
    query : str
        As it was sent.
    payload_hash : str
        SHA-256 of the body in hexadecimal digits, or what ``x-amz-content-sha256`` says instead.

    Returns
    -------
    KeyPair
        The one that signed.

    Raises
    ------
    AwsError
        As the service that was asked would refuse it.
    """
    pair = check_known(signed, keys)
    missing = {"host", *_must_sign(headers)} - set(signed.headers)
    if missing and not signed.presigned:
        raise _wrong(signed.service, f"these headers must be signed: {', '.join(sorted(missing))}")
    if not signed.presigned and abs(time.time() - _parsed(signed.time)) > _MAX_SKEW_S:
        raise _skewed(signed.service, signed.time)
    if not signed.time.startswith(signed.date):
        raise _wrong(signed.service, "the date of the credential is not that of the request")
    request = canonical_request(
        method, path, query, headers, signed.headers, payload_hash, signed.service
    )
    text = string_to_sign(signed.time, signed.scope, request)
    key = signing_key(pair.secret_key, signed.date, signed.region, signed.service)
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signed.signature):
        raise _wrong(signed.service)
    return pair


def check_known(signed: Signed, keys: Iterable[KeyPair]) -> KeyPair:
    """The pair that a request says it is signed by, or the refusal of a stranger's."""
    for key in keys:
        if key.access_key == signed.access_key:
            return key
    raise unknown_key(signed.service)


def canonical_request(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    names: Sequence[str],
    payload_hash: str,
    service: str,
) -> str:
    """The canonical request; S3 encodes a path once, others the encoded path once more."""
    encoded = quote(path, safe="/-_.~")
    if service != "s3":
        encoded = quote(encoded, safe="/-_.~")
    lines = [f"{name}:{' '.join((headers.get(name) or '').split())}" for name in names]
    parts = [method, encoded or "/", _canonical_query(query), *lines, "", ";".join(names)]
    return "\n".join([*parts, payload_hash])


def _canonical_query(query: str) -> str:
    pairs = []
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name != "X-Amz-Signature":
            pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def string_to_sign(stamp: str, scope: str, request: str) -> str:
    """What the derived key signs."""
    digest = hashlib.sha256(request.encode()).hexdigest()
    return f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}"


@lru_cache(maxsize=256)  # four HMACs, of which one request after another needs the same
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of one day, region and service."""
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _must_sign(headers: Mapping[str, str]) -> list[str]:
    # A header that changes what is asked must not be addable on the way.
    return [name for name in ("x-amz-target", "x-amz-copy-source") if headers.get(name) is not None]


def _parsed(stamp: str) -> float:
    try:
        if not _STAMP.fullmatch(stamp):
            raise ValueError
        return datetime.fromisoformat(stamp).timestamp()  # 1 us; time.strptime takes 14
    except ValueError:
        raise _incomplete(f"X-Amz-Date {stamp!r} is not of the form 20060102T150405Z") from None


def _incomplete(message: str) -> AwsError:
    return AwsError("IncompleteSignature", message, 400)


def missing_signature(service: str) -> AwsError:
    """The refusal of a request that nobody signed."""
    if service == "s3":
        return AwsError("AccessDenied", "Access Denied", 403)
    code = "MissingAuthenticationToken" + ("" if service in ("sts", "iam") else "Exception")
    return AwsError(code, "Missing Authentication Token", 403)


def unknown_key(service: str) -> AwsError:
    """The refusal of a key that is none of the platform's."""
    if service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AwsError("InvalidAccessKeyId", message, 403)
    code = "InvalidClientTokenId" if service in ("sts", "iam") else "UnrecognizedClientException"
    return AwsError(code, "The security token included in the request is invalid.", 403)


def _wrong(service: str, detail: str = "") -> AwsError:
    plain = service in ("s3", "sts", "iam")
    message = (
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method."
    )
    code = "SignatureDoesNotMatch" if plain else "InvalidSignatureException"
    return AwsError(code, f"{message} ({detail})" if detail else message, 403)


def _skewed(service: str, stamp: str) -> AwsError:
    if service == "s3":
        message = "The difference between the request time and the current time is too large."
        return AwsError("RequestTimeTooSkewed", message, 403)
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return _wrong(service, f"Signature expired: {stamp} is too far from {now}")
