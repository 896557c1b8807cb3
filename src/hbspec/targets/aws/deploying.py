"""The scripts `deploy.sh` and `teardown.sh`.

Nothing is remembered between two runs: each asks the service what there is. The model and the configuration have a
digest of their content in their names, so that the same content is the same resource, and a run that was stopped
anywhere is continued by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from shlex import quote

from hbspec.plan.training_job import DIGEST_LENGTH
from hbspec.targets.aws.endpoint import CANDIDATE, Endpoint, TrainingSource
from hbspec.targets.aws.first_request import invocation
from hbspec.targets.aws.guarding import alarm_name
from hbspec.targets.aws.ownership import OWNER
from hbspec.targets.aws.scripts import part
from hbspec.targets.aws.submission import last_attempt, region_option
from hbspec.targets.lowering.shell import HERE, SHA256, opening, owned

REQUESTED = "create_endpoint.json", "EndpointName"


def deploy(endpoint: Endpoint) -> list[str]:
    """The lines of `deploy.sh`."""
    about = f"{endpoint.name}: creates or updates the endpoint, which is billed until it is deleted."
    return [
        *opening(about, "# It can be repeated, also after it was stopped; teardown.sh deletes what it has made."),
        *_settings(endpoint),
        SHA256,
        *part("finding", endpoint.region),
        *part("deploying", endpoint.region),
        *_model(endpoint),
        *part("deploying_alone", endpoint.region),
        *part("scaling", endpoint.region),
        "finished=1",
        *invocation(endpoint.name, endpoint.region, CANDIDATE if len(endpoint.variants) > 1 else ""),
    ]


def tear_down(endpoint: Endpoint) -> list[str]:
    """The lines of `teardown.sh`."""
    about = f"{endpoint.name}: lists what deploy.sh has made, asks, and deletes it."
    return [
        *opening(about, "# --list only lists; --yes does not ask. What lacks the deployment's tag is left alone."),
        *_settings(endpoint),
        *(
            line
            for name in ("finding", "tearing_down", "tearing_down_alone", "asking", "deleting_endpoint", "deleting")
            for line in part(name, endpoint.region)
        ),
    ]


def _settings(endpoint: Endpoint) -> Iterator[str]:
    """The folder, and the variables of all parts."""
    yield f"cd -- {HERE}"
    yield from owned(*REQUESTED, endpoint.name)
    values = {
        "deployment": endpoint.name,
        "endpoint": endpoint.name,
        "variant": CANDIDATE,
        "instance_type": endpoint.instance_type,
        "alarm": alarm_name(endpoint),
        "scales": "yes" if endpoint.scaling else "",
        "tag": OWNER,
        "digits": str(DIGEST_LENGTH),
    }
    yield from (f"{name}={quote(value)}" for name, value in values.items())


def _model(endpoint: Endpoint) -> Iterator[str]:
    """Lines that set `model` to the body of CreateModel, and `content` to what names the content behind its URIs."""
    if endpoint.training:
        yield from _trained(endpoint.training, endpoint.model_data)
        yield "content=''"
        return
    bucket, _, key = endpoint.model_data.removeprefix("s3://").partition("/")
    place = f"--bucket {quote(bucket)} --key {quote(key)}"
    yield "model=$(< create_model.json)"
    yield f"content=$(aws s3api head-object{region_option(endpoint.region)} {place} --query ETag --output text) || {{"
    yield f"  echo {quote(f'{endpoint.model_data}: the model is not there; put it there first')} >&2"
    yield "  exit 1"
    yield "}"


def _trained(training: TrainingSource, compiled: str) -> Iterator[str]:
    """Lines that set `model` to the body of CreateModel with the output of the completed attempt."""
    at, literal = region_option(training.region), json.dumps(compiled, ensure_ascii=False)
    yield "# Deploys the last completed attempt at the training job, or the training job that is named as the argument."
    yield "name=${1:-}"
    yield 'if [ -z "$name" ]; then'
    yield from (f"  {line}" for line in last_attempt(training.job, training.region, only="Completed"))
    yield "  if ((last == 0)); then"
    yield '    echo "$job: no attempt at this training job has completed. Compile the target sagemaker and run its" >&2'
    yield '    echo "submit.sh, or name another training job: deploy.sh JOB" >&2'
    yield "    exit 1"
    yield "  fi"
    yield '  echo "Using the model of $name ($status)."'
    yield "fi"
    yield f'trained=$(aws sagemaker describe-training-job{at} --training-job-name "$name" \\'
    yield "  --query ModelArtifacts.S3ModelArtifacts --output json)"
    yield """if [ "$trained" = null ]; then echo "$name: this training job has no model" >&2; exit 1; fi"""
    yield f"compiled={quote(literal)}"
    yield "model=$(<create_model.json)"
    yield 'model=${model%%"$compiled"*}$trained${model#*"$compiled"}'
