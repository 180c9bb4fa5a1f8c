"""What the control plane answers, right and wrong, through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"


def _refusal(call: Any, **request: Any) -> dict[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    error: dict[str, str] = refused.value.response["Error"]
    return error


def _model(sagemaker: Any, name: str) -> None:
    container = {"Image": IMAGE, "ModelDataUrl": "s3://texts/none/model.tar.gz"}
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer=container,
        ExecutionRoleArn="arn:aws:iam::000000000000:role/x",
        Tags=[{"Key": "team", "Value": "words"}],
    )


def test_who_am_i(platform: Any) -> None:
    identity = platform.client("sts").get_caller_identity()
    assert "assumed-role/AmazonSageMaker-ExecutionRole/" in identity["Arn"]
    role = platform.client("iam").get_role(RoleName="AmazonSageMaker-ExecutionRole")["Role"]
    assert role["Arn"].endswith("role/service-role/AmazonSageMaker-ExecutionRole")
    statement = role["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    with pytest.raises(ClientError, match="NoSuchEntity"):
        platform.client("iam").get_role(RoleName="other")


def test_models_and_configurations_live_and_go(sagemaker: Any) -> None:
    _model(sagemaker, "lives")
    described = sagemaker.describe_model(ModelName="lives")
    assert described["PrimaryContainer"]["Image"] == IMAGE
    arn = described["ModelArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:model/lives"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "words"}]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "lives",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName="lives", ProductionVariants=[variant])
    config = sagemaker.describe_endpoint_config(EndpointConfigName="lives")
    assert config["ProductionVariants"][0]["ModelName"] == "lives"
    sagemaker.delete_endpoint_config(EndpointConfigName="lives")
    sagemaker.delete_model(ModelName="lives")
    error = _refusal(sagemaker.describe_model, ModelName="lives")
    assert error == {"Code": "ValidationException", "Message": 'Could not find model "lives".'}
    error = _refusal(sagemaker.describe_endpoint_config, EndpointConfigName="lives")
    assert "Could not find endpoint configuration" in error["Message"]  # SDK 1 looks for it


def test_lists_have_pages_filters_and_order(sagemaker: Any) -> None:
    names = [f"listed-{i}" for i in range(12)]
    for name in names:
        _model(sagemaker, name)
    pages = sagemaker.get_paginator("list_models").paginate(
        NameContains="LISTED", SortBy="CreationTime", SortOrder="Ascending", MaxResults=5
    )
    found = [[model["ModelName"] for model in page["Models"]] for page in pages]
    assert found == [names[:5], names[5:10], names[10:]]
    newest = sagemaker.list_models(NameContains="listed")["Models"]
    assert [model["ModelName"] for model in newest] == names[:1:-1]
    assert sagemaker.list_models(NameContains="listed", CreationTimeAfter=2**33)["Models"] == []
    by_name = sagemaker.list_models(SortBy="Name", SortOrder="Descending", MaxResults=1)
    assert _refusal(sagemaker.list_models, NextToken="none")["Code"] == "ValidationException"
    assert by_name["NextToken"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"RoleArn": "x" * 30}, "Member must satisfy regular expression pattern"),
        ({"TrainingJobName": "a_b"}, "Value 'a_b' at 'trainingJobName' failed to satisfy"),
        ({"HyperParameters": {"mode": "x" * 2501}}, "less than or equal to 2500"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://B"}}, "s3://bucket/key"),
        (
            {"AlgorithmSpecification": {"TrainingImage": "xgboost:1", "TrainingInputMode": "File"}},
            "Cannot find the image xgboost:1",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": IMAGE,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "m", "Regex": "("}],
                }
            },
            "regular expression of m",
        ),
        ({"Environment": {"LD_PRELOAD": "/x.so"}}, "LD_PRELOAD"),
    ],
)
def test_wrong_training_jobs_are_refused(
    platform: Any, sagemaker: Any, changes: dict[str, Any], said: str
) -> None:
    request = platform.training_job("wrong", **changes)
    error = _refusal(sagemaker.create_training_job, **request)
    assert error["Code"] == "ValidationException"
    assert said in error["Message"]


def test_unknown_names_operations_and_protocols(platform: Any, sagemaker: Any) -> None:
    error = _refusal(sagemaker.describe_training_job, TrainingJobName="none")
    assert error["Code"] == "ValidationException"
    assert "Requested resource not found" in error["Message"]
    assert _refusal(sagemaker.list_apps)["Code"] == "UnknownOperationException"
    error = _refusal(sagemaker.list_tags, ResourceArn="arn:aws:sagemaker:us-east-1:0:model/none")
    assert error["Code"] == "ValidationException"
    logs = platform.client("logs")
    error = _refusal(logs.describe_log_streams, logGroupName="/aws/sagemaker/none")
    assert error["Code"] == "ResourceNotFoundException"
    runtime = platform.client("sagemaker-runtime")
    error = _refusal(runtime.invoke_endpoint, EndpointName="none", Body=b"{}")
    assert error["Code"] == "ValidationError"


@pytest.mark.parametrize(
    ("kind", "target", "body", "code"),
    [
        ("application/x-amz-json-1.0", "SageMaker.ListModels", b"{}", "UnknownOperationException"),
        ("application/json", "SageMaker.ListModels", b"{}", "UnknownOperationException"),
        ("application/x-amz-json-1.1", "Other.ListModels", b"{}", "UnknownOperationException"),
        ("application/x-amz-json-1.1", "SageMaker.ListModels", b"{", "SerializationException"),
        ("application/x-amz-json-1.1", "SageMaker.ListModels", b"[]", "SerializationException"),
        (
            "application/x-amz-json-1.1",
            "SageMaker.ListModels",
            b'{"MaxResults": "x"}',
            "SerializationException",
        ),
        (
            "application/x-amz-json-1.1",
            "SageMaker.DescribeModel",
            b"{}",
            "Value null at 'modelName' failed to satisfy constraint: Member must not be null",
        ),
    ],
)
def test_broken_requests_are_answered_as_aws_does(
    platform: Any, kind: str, target: str, body: bytes, code: str
) -> None:
    import httpx
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    headers = {"Content-Type": kind, "X-Amz-Target": target}
    request = AWSRequest("POST", platform.url + "/", data=body, headers=headers)
    key = platform.variables
    credentials = Credentials(key["AWS_ACCESS_KEY_ID"], key["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(credentials, "sagemaker", "us-east-1").add_auth(request)
    answer = httpx.post(platform.url + "/", content=body, headers=dict(request.headers.items()))
    assert 400 <= answer.status_code < 500
    assert code in answer.text
