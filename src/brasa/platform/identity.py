"""STS and IAM, as far as SageMaker's clients ask them who they are: form in, XML out."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from brasa.platform.errors import AwsError
from brasa.platform.folder import ACCOUNT, ROLE, ROLE_ARN

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSIONS = {"sts": "2011-06-15", "iam": "2010-05-08"}
# The SDK takes an identity for a role only when it is an assumed one.
_IDENTITY = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/brasa"
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def answer(service: str, body: bytes) -> str:
    """Answer a form of STS or IAM with XML.

    Raises
    ------
    AwsError
        For an action or a version that the service does not have.
    """
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        raise AwsError("MalformedInput", "the body is no form") from None
    action, version = form.get("Action", ""), form.get("Version", "")
    operation = _OPERATIONS.get((service, action))
    if operation is None or version != _VERSIONS[service]:
        message = f"Could not find operation {action} for version {version or 'NO_VERSION'}"
        raise AwsError("InvalidAction", message)
    result = operation(form)
    space = f"https://{service}.amazonaws.com/doc/{_VERSIONS[service]}/"
    return (
        f'<{action}Response xmlns="{space}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        f"</{action}Response>"
    )


def error(service: str, refusal: AwsError) -> str:
    """An error as the query protocol writes it."""
    space = f"https://{service}.amazonaws.com/doc/{_VERSIONS[service]}/"
    return (
        f'<ErrorResponse xmlns="{space}"><Error><Type>Sender</Type>'
        f"<Code>{escape(refusal.code)}</Code><Message>{escape(refusal.message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )


def _caller_identity(form: dict[str, str]) -> str:
    return f"<UserId>AROABRASA:brasa</UserId><Account>{ACCOUNT}</Account><Arn>{_IDENTITY}</Arn>"


def _role(form: dict[str, str]) -> str:
    name = form.get("RoleName", "")
    if name != ROLE:
        message = f"The role with name {name} cannot be found. This platform has {ROLE}."
        raise AwsError("NoSuchEntity", message, 404)
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(0))
    return (
        f"<Role><Path>/service-role/</Path><RoleName>{ROLE}</RoleName><RoleId>AROABRASA</RoleId>"
        f"<Arn>{ROLE_ARN}</Arn><CreateDate>{made}</CreateDate><AssumeRolePolicyDocument>"
        f"{quote(json.dumps(_TRUST))}</AssumeRolePolicyDocument></Role>"
    )


def _simulated(form: dict[str, str]) -> str:
    actions = [v for name, v in form.items() if name.startswith("ActionNames.member.")]
    members = "".join(
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        "<EvalDecision>allowed</EvalDecision><EvalResourceName>*</EvalResourceName></member>"
        for action in actions
    )
    results = f"<EvaluationResults>{members}</EvaluationResults>"
    return f"<IsTruncated>false</IsTruncated>{results}"


_OPERATIONS: dict[tuple[str, str], Callable[[dict[str, str]], str]] = {
    ("sts", "GetCallerIdentity"): _caller_identity,
    ("iam", "GetRole"): _role,
    ("iam", "SimulatePrincipalPolicy"): _simulated,
}
