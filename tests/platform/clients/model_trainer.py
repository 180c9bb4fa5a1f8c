"""Run by SDK 3's Python: TEXT is uploaded, trained on, deployed, asked, and all is deleted."""

from __future__ import annotations

import json
import sys
import time

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.train import ModelTrainer

session = Session()
role = get_execution_role(session)
bucket = session.default_bucket()
train = session.upload_data(sys.argv[1], bucket=bucket, key_prefix="v3/train")
image = image_uris.retrieve("blazingtext", session.boto_region_name)
name = f"v3-{int(time.time())}"
trainer = ModelTrainer(
    training_image=image,
    role=role,
    sagemaker_session=session,
    base_job_name=name,
    compute=Compute(instance_type="ml.c5.xlarge", instance_count=1, volume_size_in_gb=30),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/v3/output"),
    hyperparameters={
        "mode": "skipgram",
        "subwords": True,
        "epochs": 2,
        "vector_dim": 10,
        "buckets": 2000,
        "min_count": 1,
        "evaluation": False,
    },
)
trainer.train([InputData(channel_name="train", data_source=train)], wait=True, logs=True)
job = trainer._latest_training_job
container = ContainerDefinition(image=image, model_data_url=job.model_artifacts.s3_model_artifacts)
model = Model.create(model_name=name, primary_container=container, execution_role_arn=role)
variant = ProductionVariant(
    variant_name="AllTraffic",
    model_name=name,
    initial_instance_count=1,
    instance_type="ml.m5.large",
)
config = EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
endpoint.wait_for_status("InService")
body = json.dumps({"instances": ["awesome", "awweeesome"]})
answer = json.loads(endpoint.invoke(body=body, content_type="application/json").body.read())
endpoint.delete()
config.delete()
model.delete()
print("vectors of", [len(v["vector"]) for v in answer], any(answer[1]["vector"]))
