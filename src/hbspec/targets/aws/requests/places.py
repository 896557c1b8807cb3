"""Rules of CreateTrainingJob on places and keys: S3 URIs, folders of the container, KMS keys and the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from hbspec.catalog.buckets import EXPRESS, MAX_KEY_BYTES, may_be_old, why_refused
from hbspec.diagnostics import Route, route_text

Said = Iterator[tuple[Route, str]]
IN_S3 = "s3://"
SERVICE_FOLDERS = ("/opt/ml/input", "/opt/ml/model", "/opt/ml/output")
"""https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html"""
IDS = {"Subnets": "subnet-", "SecurityGroupIds": "sg-"}


def address_outside_s3(body: Mapping[str, Any]) -> Said:
    """A place in S3 is written `s3://BUCKET/KEY`, although the shape S3Uri also matches `https`.

    Source: botocore's model, OutputDataConfig$S3OutputPath and CheckpointConfig$S3Uri: "s3://bucket-name/key-name-prefix".
    """
    for route, uri in _uris(body):
        if uri.startswith("https://"):
            yield route, f"{route_text(route)} is an https address, not {IN_S3}BUCKET/KEY"


def key_too_long(body: Mapping[str, Any]) -> Said:
    """A key has 1,024 bytes at most, and a letter outside ASCII has several.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    """
    for route, uri in _uris(body):
        size = len(uri.removeprefix(IN_S3).partition("/")[2].encode("utf-8", "replace"))
        if size > MAX_KEY_BYTES:
            yield route, f"the key of {route_text(route)} has {size} bytes, the limit is {MAX_KEY_BYTES}"


def bucket_refused(body: Mapping[str, Any], region: str) -> Said:
    """S3 has no bucket of such a name; access points are not judged.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    for route, uri in _uris(body):
        name = uri.removeprefix(IN_S3).partition("/")[0]
        judged = uri.startswith(IN_S3) and not name.startswith("arn:") and not may_be_old(name, region)
        if judged and (reason := why_refused(name)):
            yield route, f"{route_text(route)} names the bucket {name!r}, {reason}"


def key_of_an_express_bucket(body: Mapping[str, Any]) -> Said:
    """A directory bucket encrypts with keys of S3's own.

    Source: botocore's model, OutputDataConfig$KmsKeyId: "KMS key is not supported for Amazon S3 Express One Zone".
    """
    output = body.get("OutputDataConfig", {})
    bucket = output.get("S3OutputPath", "").removeprefix(IN_S3).partition("/")[0]
    if output.get("KmsKeyId") and bucket.endswith(EXPRESS):
        yield ("OutputDataConfig", "KmsKeyId"), f"a KMS key is given for {bucket}, a bucket of S3 Express One Zone"


def checkpoints_in_a_service_folder(body: Mapping[str, Any]) -> Said:
    """Checkpoints have a folder of their own in the container, named from its root.

    Source: botocore's model, CheckpointConfig$LocalPath, "The local directory where checkpoints are written"; that the
    folders of https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html have other uses.
    """
    path = body.get("CheckpointConfig", {}).get("LocalPath")
    route: Route = ("CheckpointConfig", "LocalPath")
    if path is None:
        return
    if not path.startswith("/"):
        yield route, f"LocalPath {path!r} does not begin with a slash"
        return
    asked = PurePosixPath(path)
    for name in map(PurePosixPath, SERVICE_FOLDERS):
        if asked == name or name in asked.parents or asked in name.parents:
            yield route, f"LocalPath {path!r} is not a folder of its own beside {name}"
            return


def id_of_another_kind(body: Mapping[str, Any]) -> Said:
    """Subnets and security groups have ids of their own form.

    Source: botocore's model, VpcConfig$SecurityGroupIds, "in the form sg-xxxxxxxx", and
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html
    """
    for member, prefix in IDS.items():
        for index, name in enumerate(body.get("VpcConfig", {}).get(member, ())):
            if not name.startswith(prefix):
                yield (
                    ("VpcConfig", member, index),
                    f"VpcConfig.{member} holds {name!r}, which does not begin with {prefix}",
                )


def volume_key_elsewhere(body: Mapping[str, Any], region: str) -> Said:
    """A volume is encrypted by a key of its own region.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html: keys are resources of one region.
    """
    named = body.get("ResourceConfig", {}).get("VolumeKmsKeyId", "").split(":")
    if len(named) > 3 and named[3] != region:
        yield ("ResourceConfig", "VolumeKmsKeyId"), f"VolumeKmsKeyId is of {named[3]}, but the request is for {region}"


def registry_without_network(body: Mapping[str, Any]) -> Said:
    """A private registry is reached through the VPC, and only it asks for credentials.

    Source: botocore's model, TrainingImageConfig$TrainingRepositoryAccessMode: "For access to an image in a private
    Docker registry, set to Vpc", and
    https://docs.aws.amazon.com/sagemaker/latest/dg/docker-containers-adapt-your-own-private-registry.html
    """
    settings = body.get("AlgorithmSpecification", {}).get("TrainingImageConfig", {})
    route: Route = ("AlgorithmSpecification", "TrainingImageConfig")
    if settings.get("TrainingRepositoryAccessMode") == "Vpc" and "VpcConfig" not in body:
        yield route, "the image is in a private registry, but VpcConfig is not given"
    if settings.get("TrainingRepositoryAccessMode") == "Platform" and "TrainingRepositoryAuthConfig" in settings:
        yield route, "TrainingRepositoryAuthConfig is given, but TrainingRepositoryAccessMode is Platform"


def _uris(body: Mapping[str, Any]) -> Iterator[tuple[Route, str]]:
    """Every place in S3 that a request names."""
    for index, channel in enumerate(body.get("InputDataConfig", ())):
        uri = channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri")
        if uri is not None:
            yield ("InputDataConfig", index, "DataSource", "S3DataSource", "S3Uri"), uri
    for section, member in (("OutputDataConfig", "S3OutputPath"), ("CheckpointConfig", "S3Uri")):
        if member in body.get(section, {}):
            yield (section, member), body[section][member]


BODY_RULES = (
    address_outside_s3,
    key_too_long,
    key_of_an_express_bucket,
    checkpoints_in_a_service_folder,
    id_of_another_kind,
    registry_without_network,
)
REGION_RULES = (bucket_refused, volume_key_elsewhere)
