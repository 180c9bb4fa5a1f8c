"""Run by SDK 2's Python: train, deploy, ask, delete, in AWS's own local mode."""

from __future__ import annotations

import sys

from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.local import LocalSession
from sagemaker.serializers import JSONSerializer

text, output, port = sys.argv[1:]
session = LocalSession()
session.config = {"local": {"local_code": True, "serving_port": int(port)}}
estimator = Estimator(
    image_uri="brasa:latest",
    role="arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole",
    instance_count=1,
    instance_type="local",
    sagemaker_session=session,
    output_path=f"file://{output}",
    hyperparameters={
        "mode": "skipgram",
        "subwords": True,
        "vector_dim": 10,
        "min_count": 1,
        "epochs": 2,
        "buckets": 2000,
    },
)
estimator.fit({"train": f"file://{text}"})
predictor = estimator.deploy(
    1, "local", serializer=JSONSerializer(), deserializer=JSONDeserializer()
)
answer = predictor.predict({"instances": ["awesome", "awweeesome"]})
predictor.delete_endpoint()
print("vectors of", [len(item["vector"]) for item in answer], [item["word"] for item in answer])
