"""What a call rents, for how long, and what of the account it names."""

from __future__ import annotations

import re

from hbspec.catalog import catalog
from hbspec.diagnostics import Severity
from hbspec.frontends.calls.jobs import STARTED, JobCall
from hbspec.frontends.known.sagemaker import DAY, ESTIMATOR, MAX_RUN, VOLUME
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.left_open import Remark

INSTANCE, ACCOUNT = "instance", "sagemaker"
TIMES = {"max_runtime": "s", "max_wait": "s", "keep_alive": "s", "volume": "GB"}
ABSENT_AT_ZERO = ("keep_alive", "retries")
RENTED = {
    "type": ("instance_type", "compute.instance_type"),
    "count": ("instance_count", "compute.instance_count"),
    "spot": ("use_spot_instances", "compute.enable_managed_spot_training"),
    "max_runtime": ("max_run", "stopping_condition.max_runtime_in_seconds"),
    "max_wait": ("max_wait", "stopping_condition.max_wait_time_in_seconds"),
    "keep_alive": ("keep_alive_period_in_seconds", "compute.keep_alive_period_in_seconds"),
    "volume": ("volume_size", "compute.volume_size_in_gb"),
    "retries": ("max_retry_attempts",),
}
"""Keys of `instance`, by the arguments of estimators and of ModelTrainer's parts."""
OWNED = {
    "role": ("role",),
    "output": ("output_path", "output_data_config.s3_output_path"),
    "checkpoints": ("checkpoint_s3_uri", "checkpoint_config.s3_uri"),
    "image": ("image_uri", "training_image"),
    "job_name": ("base_job_name",),
    "kms_key": ("output_kms_key", "output_data_config.kms_key_id"),
}
NETWORK = {
    "subnets": ("subnets", "networking.subnets"),
    "security_groups": ("security_group_ids", "networking.security_group_ids"),
}
PLACES = {(INSTANCE, key): names for key, names in RENTED.items()}
"""The values of a spec that are rented, with the arguments that say them."""
TRAINING, HELD_OUT = ("train", "training"), ("validation", "eval", "test")
OF_ECR = re.compile(r"^[0-9]{12}\.dkr\.ecr\.([a-z]{2}(?:-[a-z]+){1,2}-[0-9])\.amazonaws\.com")


def said(job: JobCall, *names: str) -> ForeignKey | None:
    """The first of some arguments that is given; `compute.instance_type` is one of a part."""
    found = None
    for name in names:
        part, _, key = name.rpartition(".")
        given = (job.inside(part) if part else job).get(key)
        found = found or given
    return found


def put_hardware(job: JobCall, building: Building) -> None:
    """The instances, their limits and what they keep; the SDK's defaults where nothing is given."""
    for key, names in RENTED.items():
        given = said(job, *names)
        if given and given.number == 0 and key in ABSENT_AT_ZERO:
            continue
        if given and key in TIMES:
            building.put((INSTANCE, key), given, f"{given.text} {TIMES[key]}" if given.number else given.value)
        else:
            building.put((INSTANCE, key), given)
    if not any(tuple(name.split(".")) in job.computed for name in RENTED["max_runtime"]):
        limit, source = MAX_RUN.get(job.job.kind, DAY)
        building.default((INSTANCE, "max_runtime"), limit, source)
    row = catalog().instances.get(str(building.value((INSTANCE, "type"))))
    if row and not row.nvme_bytes and ("volume_size",) not in job.computed:
        building.default((INSTANCE, "volume"), VOLUME, ESTIMATOR)
    plan = said(job, "training_plan", "compute.training_plan_arn")
    if plan:
        message = "training_plan names capacity that is paid for in advance: the cost is that of on-demand instances"
        building.remark(
            Remark("HB029", Severity.NOTE, plan.node.span, message, "take the cost as a guess"), "training_plan"
        )


def put_account(job: JobCall, building: Building) -> None:
    """The role, the places in S3, the image with its region, the network, variables and tags."""
    for key, names in OWNED.items():
        given = said(job, *names)
        if given and isinstance(given.value, str) and (key != "role" or given.text.startswith("arn:")):
            building.put((ACCOUNT, key), given, given.text)
        if given and key == "image" and (found := OF_ECR.match(given.text)):
            building.put((INSTANCE, "region"), given, found[1])
    network = {key: said(job, *names) for key, names in NETWORK.items()}
    if all(given and isinstance(given.value, list) and given.value for given in network.values()):
        for key, given in network.items():
            building.put((ACCOUNT, "vpc", key), given)
    variables = job.inside("environment")
    for given in variables.rest():
        building.put((ACCOUNT, "environment", given.key), given, _as_text(given.value))
    _put_tags(job, building)
    _put_data(job, building)


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _put_tags(job: JobCall, building: Building) -> None:
    for tag in job.items("tags"):
        key, value = tag.get("Key", "key"), tag.get("Value", "value")
        if key and value:
            building.put((ACCOUNT, "tags", key.text), value, value.text)


def _put_data(job: JobCall, building: Building) -> None:
    """The channels of `fit` or `train`, or of the call: one URI, or URIs by the names of channels."""
    for name in (STARTED, "input_data_config"):
        whole = job.get(name)
        if whole and isinstance(whole.value, str):
            building.put(("data", "train", "uri"), whole, whole.text)
        channels = {channel: _source(job.inside(name), channel) for channel in (*TRAINING, *HELD_OUT)}
        for entry in job.items(name):
            channel = entry.get("channel_name")
            if channel:
                channels[channel.text] = _source_of(entry)
        given = next((channels[channel] for channel in TRAINING if channels.get(channel)), None)
        if given and not building.has(("data", "train", "uri")):
            building.put(("data", "train", "uri"), given, given.text)
        held = next((channels[channel] for channel in HELD_OUT if channels.get(channel)), None)
        if held and building.has(("data", "validation")):
            building.put(("data", "validation", "uri"), held, held.text)


def _source(channels: Foreign, name: str) -> ForeignKey | None:
    """The URI of a channel, or of the TrainingInput in its place."""
    given = channels.peek(name)
    if given and isinstance(given.value, dict):
        return _source_of(channels.inside(name))
    return given if given and isinstance(given.value, str) else None


def _source_of(channel: Foreign) -> ForeignKey | None:
    given = channel.get("s3_data", "data_source")
    if given and isinstance(given.value, dict):
        return channel.inside("data_source").get("s3_uri")
    return given
