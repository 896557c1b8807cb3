"""Rules of CreateTrainingJob on its channels: what each holds, and how it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hbspec.diagnostics import Route

Said = Iterator[tuple[Route, str]]
CHANNELS = "InputDataConfig"
OF_PIPES = {"CompressionType": "None", "RecordWrapperType": "None"}
"""Members of a channel that only Pipe mode reads, and the value that says nothing."""


def channel_named_twice(body: Mapping[str, Any]) -> Said:
    """Channel names are unique, because a channel is the folder /opt/ml/input/data/NAME.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html ("A channel is a named input
    source") and https://docs.aws.amazon.com/sagemaker/latest/dg/model-train-storage.html (the folder).
    """
    names = Counter(channel.get("ChannelName") for channel in body.get(CHANNELS, ()))
    for name, count in names.items():
        if count > 1:
            yield (CHANNELS,), f"{count} channels are named {name!r}"


def data_source_count(body: Mapping[str, Any]) -> Said:
    """A channel has exactly one source of data, although the shape DataSource allows none or two.

    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataSource.html, "Describes the location of
    the channel data": one location per channel.
    """
    for index, channel in enumerate(body.get(CHANNELS, ())):
        source = channel.get("DataSource")
        if source is not None and len(source) != 1:
            given = " and ".join(sorted(source)) or "none"
            yield (CHANNELS, index, "DataSource"), f"a channel needs exactly one source of data, but has {given}"


def manifest_in_another_mode(body: Mapping[str, Any]) -> Said:
    """An augmented manifest is read by Pipe mode only, and FastFile mode reads prefixes only.

    Source: botocore's model, S3DataSource$S3DataType: "AugmentedManifestFile can only be used if the Channel's input
    mode is Pipe"; https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data.html: fast file mode
    "supports S3 prefixes only".
    """
    for route, source, mode in _from_s3(body):
        kind = source.get("S3DataType")
        refused = {"AugmentedManifestFile": mode != "Pipe", "ManifestFile": mode == "FastFile"}
        if refused.get(str(kind)):
            yield (*route, "S3DataType"), f"S3DataType is {kind}, but the channel's input mode is {mode}"


def attributes_without_manifest(body: Mapping[str, Any]) -> Said:
    """Attributes are those of the lines of an augmented manifest.

    Source: botocore's model, S3DataSource$AttributeNames: "attribute names to use that are found in a specified
    augmented manifest file".
    """
    for route, source, _ in _from_s3(body):
        if source.get("AttributeNames") and source.get("S3DataType") != "AugmentedManifestFile":
            kind = source.get("S3DataType")
            yield (*route, "AttributeNames"), f"AttributeNames is given, but S3DataType is {kind}"


def set_for_pipes_only(body: Mapping[str, Any]) -> Said:
    """Compression and record wrapping belong to Pipe mode.

    Source: botocore's model, Channel$CompressionType: "used only in Pipe input mode. In File mode, leave this field
    unset or set it to None"; Channel$RecordWrapperType: "In File mode, leave this field unset or set it to None".
    """
    for index, channel in enumerate(body.get(CHANNELS, ())):
        mode = _mode(body, channel)
        for member, nothing in OF_PIPES.items():
            if mode != "Pipe" and channel.get(member, nothing) != nothing:
                value = channel[member]
                yield (CHANNELS, index, member), f"{member} is {value}, but the channel's input mode is {mode}"


def file_system_without_network(body: Mapping[str, Any]) -> Said:
    """A file system of EFS or FSx is reached through the VPC that it lies in.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data.html
    """
    for index, channel in enumerate(body.get(CHANNELS, ())):
        if "FileSystemDataSource" in channel.get("DataSource", {}) and "VpcConfig" not in body:
            route = (CHANNELS, index, "DataSource", "FileSystemDataSource")
            yield route, "a channel of a file system is given, but VpcConfig is not"


def folder_not_absolute(body: Mapping[str, Any]) -> Said:
    """The folder of a file system is named from its root.

    Source: botocore's model, FileSystemDataSource$DirectoryPath: "The full path to the directory".
    """
    for index, channel in enumerate(body.get(CHANNELS, ())):
        path = channel.get("DataSource", {}).get("FileSystemDataSource", {}).get("DirectoryPath")
        if path is not None and not path.startswith("/"):
            route = (CHANNELS, index, "DataSource", "FileSystemDataSource", "DirectoryPath")
            yield route, f"DirectoryPath {path!r} does not begin with a slash"


def group_not_there(body: Mapping[str, Any]) -> Said:
    """A channel is dealt out to groups of the job's own.

    Source: botocore's model, S3DataSource$InstanceGroupNames: "A list of names of instance groups that get data".
    """
    groups = {group.get("InstanceGroupName") for group in body.get("ResourceConfig", {}).get("InstanceGroups", ())}
    for route, source, _ in _from_s3(body):
        for name in source.get("InstanceGroupNames", ()):
            if name not in groups:
                yield (*route, "InstanceGroupNames"), f"the job has no instance group {name!r}"


def _from_s3(body: Mapping[str, Any]) -> Iterator[tuple[Route, Mapping[str, Any], str]]:
    """The sources in S3: the route and the source, and the channel's input mode."""
    for index, channel in enumerate(body.get(CHANNELS, ())):
        source = channel.get("DataSource", {}).get("S3DataSource")
        if source is not None:
            yield (CHANNELS, index, "DataSource", "S3DataSource"), source, _mode(body, channel)


def _mode(body: Mapping[str, Any], channel: Mapping[str, Any]) -> str:
    """The input mode of a channel: its own, or the job's."""
    return str(channel.get("InputMode") or body.get("AlgorithmSpecification", {}).get("TrainingInputMode", "File"))


BODY_RULES = (
    channel_named_twice,
    data_source_count,
    manifest_in_another_mode,
    attributes_without_manifest,
    set_for_pipes_only,
    file_system_without_network,
    folder_not_absolute,
    group_not_there,
)
