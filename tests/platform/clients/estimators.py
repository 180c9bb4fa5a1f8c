"""Run by SDK 2's Python: what notebooks do besides: attach, go on, transform, tune, update."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import JSONSerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

from sagemaker import Session, get_execution_role, image_uris

session = Session()
role = get_execution_role()
bucket = session.default_bucket()
client = boto3.client("sagemaker")
image = image_uris.retrieve("blazingtext", session.boto_region_name)
labeled = session.upload_data(sys.argv[1], bucket=bucket, key_prefix="labeled")


def wait(status: Callable[[], str]) -> None:
    """The SDK's own waiting takes 30 s a time."""
    while status() in ("InProgress", "Creating", "Updating"):
        time.sleep(0.2)


def new_estimator(**more: Any) -> Estimator:
    estimator = Estimator(
        image,
        role,
        instance_count=1,
        instance_type="ml.c5.large",
        output_path=f"s3://{bucket}/output",
        sagemaker_session=session,
        **more,
    )
    estimator.set_hyperparameters(mode="supervised", min_count=1, vector_dim=10, epochs=3)
    return estimator


def status_of(name: str) -> str:
    status: str = client.describe_training_job(TrainingJobName=name)["TrainingJobStatus"]
    return status


estimator = new_estimator()
channels = {"train": TrainingInput(labeled), "validation": TrainingInput(labeled)}
estimator.fit(channels, wait=False)
name = estimator.latest_training_job.name
wait(lambda: status_of(name))
attached = Estimator.attach(name, sagemaker_session=session)
print("attached", attached.hyperparameters()["mode"], attached.model_data)

further = new_estimator(model_uri=attached.model_data, model_channel_name="model")
further.fit(channels, wait=False)
wait(lambda: status_of(further.latest_training_job.name))
print("went on", status_of(further.latest_training_job.name))

lines = session.upload_data(sys.argv[2], bucket=bucket, key_prefix="lines")
transformer = attached.transformer(
    1,
    "ml.m5.large",
    strategy="MultiRecord",
    assemble_with="Line",
    accept="application/jsonlines",
    output_path=f"s3://{bucket}/transformed",
)
transformer.transform(
    lines, content_type="application/jsonlines", split_type="Line", wait=False, logs=False
)
transform = transformer.latest_transform_job.name
wait(lambda: client.describe_transform_job(TransformJobName=transform)["TransformJobStatus"])
(key,) = session.list_s3_files(bucket, "transformed")
print("transformed", session.read_s3_file(bucket, key).count("\n"))

ranges = {
    "learning_rate": ContinuousParameter(0.05, 0.5),
    "epochs": IntegerParameter(2, 6),
}
tuner = HyperparameterTuner(
    new_estimator(), "validation:accuracy", ranges, max_jobs=3, max_parallel_jobs=1
)
tuner.fit(channels, wait=False)
wait(lambda: tuner.describe()["HyperParameterTuningJobStatus"])
scores = tuner.analytics().dataframe()["FinalObjectiveValue"]
best = tuner.best_estimator()
print("tuned", len(scores), max(scores) > 0.9, best.latest_training_job.name)

predictor = attached.deploy(1, "ml.m5.large", wait=False, serializer=JSONSerializer())
endpoint = predictor.endpoint_name
wait(lambda: client.describe_endpoint(EndpointName=endpoint)["EndpointStatus"])
print("predicted", json.loads(predictor.predict({"instances": ["a good film"]}))[0]["label"])
predictor.update_endpoint(
    initial_instance_count=2, instance_type="ml.m5.large", model_name=None, wait=False
)
wait(lambda: client.describe_endpoint(EndpointName=endpoint)["EndpointStatus"])
print("predicted", json.loads(predictor.predict({"instances": ["a bad film"]}))[0]["label"])
predictor.delete_model()
predictor.delete_endpoint()
