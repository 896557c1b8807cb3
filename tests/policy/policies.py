"""A policy with every line, and a request and a spec that keep it."""

from __future__ import annotations

from hbspec.source import load_mapping

POLICY = """\
policy: 1
max_job_cost: 60 USD
max_monthly_cost: 1500 USD
regions: [ca-central-1, eu-*]
instance_types: ["ml.g5.*", ml.p4d.24xlarge]
max_instances: 2
spot_only: true
max_runtime: 12h
tags: {cost-center: "cc-*", owner: "*@acme.com"}
kms_required: true
vpc_required: true
licences: [apache-2.0]
models: ["Qwen/*"]
data_prefixes: ["s3://acme-data/train/", "s3://acme-data/check/"]
output_prefixes: ["s3://acme-models/"]
registries: ["763104351884.dkr.ecr.*.amazonaws.com"]
approvals: {above: 20 USD, by: ["*@acme.com"]}
"""


def s3(uri):
    return {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}}


def request():
    """A body of CreateTrainingJob as another tool writes it; 2 x ml.g5.2xlarge for at most 5 h."""
    return {
        "TrainingJobName": "assistant-7",
        "RoleArn": "arn:aws:iam::111122223333:role/train",
        "AlgorithmSpecification": {
            "TrainingImage": "763104351884.dkr.ecr.ca-central-1.amazonaws.com/pytorch-training:2.9.0-gpu-py312",
            "TrainingInputMode": "File",
            "ContainerArguments": ["--epochs", "3"],
        },
        "HyperParameters": {"model_id": '"Qwen/Qwen2.5-7B"', "epochs": "3"},
        "Environment": {"CHECK": "s3://acme-data/check/a.jsonl"},
        "InputDataConfig": [
            {"ChannelName": "train", "DataSource": s3("s3://acme-data/train/2026/")},
            {"ChannelName": "code", "DataSource": s3("s3://acme-models/assistant-7/code/")},
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://acme-models/", "KmsKeyId": "alias/train"},
        "ResourceConfig": {
            "InstanceType": "ml.g5.2xlarge",
            "InstanceCount": 2,
            "VolumeSizeInGB": 100,
            "VolumeKmsKeyId": "alias/train",
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 18_000, "MaxWaitTimeInSeconds": 36_000},
        "CheckpointConfig": {"S3Uri": "s3://acme-models/assistant-7/checkpoints/"},
        "EnableManagedSpotTraining": True,
        "VpcConfig": {"Subnets": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]},
        "Tags": [
            {"Key": "owner", "Value": "ann@acme.com"},
            {"Key": "cost-center", "Value": "cc-12"},
            {"Key": "approved-by", "Value": "bob@acme.com"},
        ],
    }


def spec():
    """A spec with an endpoint."""
    return {
        "hbspec": 1,
        "name": "assistant",
        "model": {"id": "Qwen/Qwen2.5-7B"},
        "data": {"train": {"uri": "s3://acme-data/train/", "examples": 2000}, "tokens": {"mean": 300, "max": 900}},
        "instance": {
            "type": "ml.g5.2xlarge",
            "region": "ca-central-1",
            "spot": True,
            "max_runtime": "8h",
            "max_wait": "12h",
        },
        "hyperparameters": {
            "method": "qlora",
            "learning_rate": 1e-4,
            "num_train_epochs": 1,
            "per_device_batch_size": 1,
            "gradient_accumulation_steps": 8,
            "max_length": 1024,
        },
        "deployment": {"instance": {"type": "ml.g5.xlarge"}, "quantization": "nf4"},
        "sagemaker": {
            "role": "arn:aws:iam::111122223333:role/train",
            "output": "s3://acme-models/assistant/",
            "kms_key": "alias/train",
            "vpc": {"subnets": ["subnet-0a1b2c3d"], "security_groups": ["sg-0a1b2c3d"]},
            "tags": {"owner": "ann@acme.com", "cost-center": "cc-12", "approved-by": "bob@acme.com"},
        },
    }


def keys_of(found, keys):
    """The keys of the lines that findings are of."""
    return {keys[finding.code] for finding in found}


def document(values):
    return load_mapping(values)
