"""What all kinds of resources share: names, ARNs, tags, and lists with pages and filters."""

from __future__ import annotations

import base64
import binascii
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brasa.platform.errors import AwsError, in_use, invalid
from brasa.platform.folder import ACCOUNT
from brasa.platform.store import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brasa.platform.store import Store

TRAINING_JOB = "training-job"
TRANSFORM_JOB = "transform-job"
TUNING_JOB = "hyper-parameter-tuning-job"
MODEL = "model"
ENDPOINT_CONFIG = "endpoint-config"
ENDPOINT = "endpoint"
KINDS = (TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB, MODEL, ENDPOINT_CONFIG, ENDPOINT)
_DEFAULT_PAGE = 10  # as AWS's


def arn_of(kind: str, name: str, region: str) -> str:
    """The resource's name in all the world."""
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def new_document(kind: str, name: str, region: str, values: Document) -> Document:
    """The document of a resource that is made now."""
    now = time.time()
    return {
        **values,
        "CreationTime": now,
        "LastModifiedTime": now,
        "_arn": arn_of(kind, name, region),
        "_region": region,
    }


def add(
    store: Store,
    kind: str,
    name: str,
    document: Document,
    *,
    status: str | None = None,
    tags: Sequence[dict[str, str]] = (),
    parent: str = "",
) -> str:
    """Keep a new resource and its tags; its ARN.

    Raises
    ------
    AwsError
        When the name is taken.
    """
    arn: str = document["_arn"]
    with store.transaction():
        if not store.add(kind, name, document, status=status, parent=parent):
            title = kind.replace("-", " ").capitalize()
            if kind in (TRAINING_JOB, TRANSFORM_JOB, TUNING_JOB):
                raise in_use(title, arn)
            raise invalid(f'Cannot create already existing {kind.replace("-", " ")} "{arn}".')
        store.put_tags(arn, _tags(tags))
    return arn


def find(store: Store, kind: str, name: str) -> Document:
    """One resource's document.

    Raises
    ------
    AwsError
        ``ValidationException``, which is what AWS answers and clients wait for.
    """
    document = store.get(kind, name)
    if document is None:
        raise invalid(missing(kind, name))
    return document


def missing(kind: str, name: str) -> str:
    """AWS's sentence for a name that there is not; SDK 1 looks for "Could not find"."""
    if kind in (MODEL, ENDPOINT, ENDPOINT_CONFIG):
        title = {ENDPOINT_CONFIG: "endpoint configuration"}.get(kind, kind)
        return f'Could not find {title} "{name}".'
    return f"Requested resource not found: {kind.replace('-', ' ')} {name!r}."


def public(document: Document) -> Document:
    """A document as clients see it."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


# Tags


def list_tags(store: Store, request: Document) -> Document:
    """Answer ListTags."""
    _tagged(store, request["ResourceArn"])
    tags = store.tags(request["ResourceArn"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def add_tags(store: Store, request: Document) -> Document:
    """Answer AddTags."""
    _tagged(store, request["ResourceArn"])
    store.put_tags(request["ResourceArn"], _tags(request["Tags"]))
    return list_tags(store, request)


def delete_tags(store: Store, request: Document) -> Document:
    """Answer DeleteTags."""
    _tagged(store, request["ResourceArn"])
    store.remove_tags(request["ResourceArn"], request["TagKeys"])
    return {}


def _tags(tags: Sequence[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _tagged(store: Store, arn: str) -> None:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    document = store.get(kind, name) if kind in KINDS else None
    if document is None or document["_arn"] != arn:
        raise invalid(f"Requested resource not found: {arn}")


# Lists


@dataclass(frozen=True)
class Listing:
    """How a kind of resource is listed.

    Attributes
    ----------
    members : str
        The member of the answer that has the list.
    name, status : str
        Members of the documents.
    summary : tuple of str
        Members of a document that its summary has.
    """

    kind: str
    members: str
    name: str
    status: str | None
    summary: tuple[str, ...]

    def answer(
        self,
        store: Store,
        request: Document,
        parent: str | None = None,
        sort_keys: dict[str, Callable[[Document], Any]] | None = None,
    ) -> Document:
        """Answer a List operation: filtered, sorted, a page of it."""
        found = [d for d in store.documents(self.kind, parent=parent) if self._asked(d, request)]
        keys: dict[str, Callable[[Document], Any]] = {
            "Name": lambda d: d[self.name],
            "Status": lambda d: d[self.status] if self.status else "",
            "CreationTime": lambda d: d["CreationTime"],
        }
        keys |= sort_keys or {}
        sort_by = keys.get(request.get("SortBy", "CreationTime"), keys["CreationTime"])
        descending = request.get("SortOrder", "Descending") == "Descending"

        def key(document: Document) -> list[Any]:
            return [sort_by(document), document[self.name]]

        found.sort(key=key, reverse=descending)
        if request.get("NextToken"):
            after = _opened(request["NextToken"])
            try:
                found = [d for d in found if (key(d) < after if descending else key(d) > after)]
            except TypeError:
                raise _bad_token() from None
        size = request.get("MaxResults", _DEFAULT_PAGE)
        page = found[:size]
        answer: Document = {self.members: [{n: d[n] for n in self.summary if n in d} for d in page]}
        if len(found) > size:
            answer["NextToken"] = base64.urlsafe_b64encode(
                json.dumps(key(page[-1])).encode()
            ).decode()
        return answer

    def _asked(self, document: Document, request: Document) -> bool:
        contains = request.get("NameContains")
        if contains and contains.lower() not in document[self.name].lower():
            return False
        if (
            request.get("StatusEquals")
            and document.get(self.status or "") != request["StatusEquals"]
        ):
            return False
        for member in ("CreationTime", "LastModifiedTime"):
            value = document[member]
            if value < request.get(f"{member}After", value):
                return False
            if value > request.get(f"{member}Before", value):
                return False
        return True


def _opened(token: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        raise _bad_token() from None


def _bad_token() -> AwsError:
    return invalid("NextToken is none that this operation has answered.")
