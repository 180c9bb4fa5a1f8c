#!/bin/bash
# The AWS CLI: BIN (where `aws` is) and TEXT; train, deploy, ask, delete.
set -euo pipefail
PATH=$1:$PATH
text=$2
image=811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1
role=arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole
aws sts get-caller-identity --query Arn --output text
aws s3 mb s3://cli-bucket
aws s3 cp --quiet "$text" s3://cli-bucket/train/text
aws s3 ls s3://cli-bucket/train/
aws sagemaker create-training-job --training-job-name cli --role-arn $role \
  --algorithm-specification TrainingImage=$image,TrainingInputMode=File \
  --input-data-config '[{"ChannelName":"train","DataSource":{"S3DataSource":{"S3DataType":"S3Prefix","S3Uri":"s3://cli-bucket/train"}}}]' \
  --output-data-config S3OutputPath=s3://cli-bucket/output \
  --resource-config InstanceCount=1,InstanceType=ml.c5.large,VolumeSizeInGB=5 \
  --stopping-condition MaxRuntimeInSeconds=600 \
  --hyper-parameters mode=skipgram,subwords=True,epochs=2,vector_dim=10,buckets=2000,min_count=1,evaluation=False
for _ in $(seq 60); do
  status=$(aws sagemaker describe-training-job --training-job-name cli --query TrainingJobStatus --output text)
  [ "$status" = InProgress ] || break
  sleep 0.5
done
echo "status $status"
stream=$(aws logs describe-log-streams --log-group-name /aws/sagemaker/TrainingJobs \
  --log-stream-name-prefix cli/ --query 'logStreams[0].logStreamName' --output text)
aws logs get-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name "$stream" \
  --start-from-head --query 'events[].message' --output text >/dev/null
model=$(aws sagemaker describe-training-job --training-job-name cli --query ModelArtifacts.S3ModelArtifacts --output text)
aws s3 cp --quiet "$model" "${text%/*}/model.tar.gz"
tar -tzf "${text%/*}/model.tar.gz"
aws sagemaker create-model --model-name cli --execution-role-arn $role \
  --primary-container Image=$image,ModelDataUrl="$model"
aws sagemaker create-endpoint-config --endpoint-config-name cli --production-variants \
  VariantName=AllTraffic,ModelName=cli,InitialInstanceCount=1,InstanceType=ml.m5.large
aws sagemaker create-endpoint --endpoint-name cli --endpoint-config-name cli
aws sagemaker wait endpoint-in-service --endpoint-name cli
aws sagemaker-runtime invoke-endpoint --endpoint-name cli --content-type application/json \
  --cli-binary-format raw-in-base64-out --body '{"instances":["awesome","awweeesome"]}' "${text%/*}/answer.json" 2>/dev/null ||
  aws sagemaker-runtime invoke-endpoint --endpoint-name cli --content-type application/json \
    --body '{"instances":["awesome","awweeesome"]}' "${text%/*}/answer.json"
aws sagemaker delete-endpoint --endpoint-name cli
aws sagemaker delete-endpoint-config --endpoint-config-name cli
aws sagemaker delete-model --model-name cli
python3 -c '
import json, sys
vectors = json.load(open(sys.argv[1]))
print("vectors of", [len(v["vector"]) for v in vectors], any(vectors[1]["vector"]))
' "${text%/*}/answer.json"
