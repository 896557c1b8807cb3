"""Target `evaluation`: the body of CreateProcessingJob that evaluates the trained model from its files.

The job runs the harness of `hbspec evaluate` in the training job's image, loads the model of the last completed
attempt, and keeps answers and record in S3 as they come (`Continuous`). A model that does not pass does not fail the
job: the record says so.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from shlex import quote
from typing import Any

from hbspec.analysis import Analysis
from hbspec.catalog.parameters import total_parameters
from hbspec.estimators.job.storage import DEFAULT_VOLUME
from hbspec.plan.suites import planned_suites
from hbspec.plan.training_job import IN_S3, author_name
from hbspec.targets import sagemaker
from hbspec.targets.aws.endpoint import TrainingSource
from hbspec.targets.aws.identity import digest_of
from hbspec.targets.aws.refusals import refused
from hbspec.targets.aws.submission import region_option
from hbspec.targets.aws.trained_model import model_data, trained_model
from hbspec.targets.aws.training_job import TrainingJob
from hbspec.targets.job.shipped_files import REQUIREMENTS, evaluation_files
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import LoweringError, Needs, refusal
from hbspec.targets.lowering.shell import HERE, opening, owned
from hbspec.targets.lowering.target import Target
from hbspec.units import GB

LM_EVAL = b"lm-eval==0.4.13       # runs the tasks that suites of lm-eval: name\n"
BODY, PLAN, STARTER = "create_processing_job.json", "evaluation.json", "start.sh"
WORK = "/opt/ml/processing"
MOST_SECONDS = 86_400
"""A day; 432,000 s is the service's limit."""
JSON_LINES = ".jsonl"
LONGEST_NAME = 30
"""Of the author's part of the job's name, after which a digest and the time follow, of 63 signs."""


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """The body of the request, and what the script needs beside it: the harness goes to the folder `code`."""

    name: str
    training: TrainingSource
    body: dict[str, Any]
    model_data: str
    code: str
    source: tuple[Artifact, ...]


def lower(analysis: Analysis) -> EvaluationJob:
    """Choose the values of the request.

    Raises:
        LoweringError: the spec has no suites, lacks a key that the training job needs, or its suites or its base model
            are where the job does not find them.
    """
    spec, needs = analysis.spec, Needs("evaluation")
    needs.take(spec.evaluation or None, ("evaluation",), (), "add the suites that the model has to pass")
    needs.done()
    job = sagemaker.lower(analysis, "evaluation")
    _refuse_elsewhere(analysis)
    name = f"{author_name(spec)[:LONGEST_NAME].rstrip('-')}-eval"
    trained = model_data(spec, job.output, job.name)
    places = {f"suite-{index}": suite.data for index, suite in enumerate(planned_suites(spec)) if suite.data}
    source = (
        *_harness(any(suite.is_task for suite in planned_suites(spec))),
        _plan(analysis, job.name, places),
        script_artifact(STARTER, _start(job.name, trained)),
    )
    served = spec.deployment.instance.type if spec.deployment else None
    body = _body(job, served or job.instance_type, _volume(analysis), {"model": trained, **places})
    said = digest_of(body, source, job.region)
    home = f"{job.output}{job.name}/evaluation/{said}/"
    body["ProcessingJobName"] = f"{name}-{said}"
    body["ProcessingInputs"].append(_input("code", f"{home}code/"))
    body["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"] = f"{home}record/"
    return EvaluationJob(
        body["ProcessingJobName"],
        TrainingSource(job.name, job.region, alone=True),
        body,
        trained,
        f"{home}code/",
        source,
    )


def _harness(runs_tasks: bool) -> Iterator[Artifact]:
    """The files of the harness, which installs lm-evaluation-harness for its tasks alone."""
    for file in evaluation_files():
        more = LM_EVAL if runs_tasks and file.path == REQUIREMENTS else b""
        yield file._replace(content=file.content + more)


def _refuse_elsewhere(analysis: Analysis) -> None:
    """Raise `LoweringError` for what the job would not find."""
    found = [
        refusal(
            "HB040",
            suite.route,
            f"target evaluation needs the cases of {suite.name} in S3, but {suite.data} is not there",
            "upload them, and name their S3 prefix",
        )
        for suite in planned_suites(analysis.spec)
        if suite.data is not None and not suite.data.startswith(IN_S3)
    ]
    found += [
        refusal(
            "HB040",
            ("evaluation", index, "suite"),
            f"target evaluation has nothing to ask of {suite.name}: it is not built in, or asks the validation split",
            "set data of the suite to an S3 URI",
        )
        for index, suite in enumerate(planned_suites(analysis.spec))
        if suite.lacks_cases
    ]
    if analysis.spec.model.source is not None:
        message = "target evaluation loads the base model from the Hub, and not from model.source"
        found.append(refusal("HB040", ("model", "source"), message, "evaluate the endpoint with hbspec evaluate"))
    if found:
        raise LoweringError(found)


def _plan(analysis: Analysis, job: str, places: dict[str, str]) -> Artifact:
    suites = [
        suite.entry(_place(f"suite-{index}", places)) for index, suite in enumerate(planned_suites(analysis.spec))
    ]
    data = analysis.profile.digest if analysis.profile else None
    return json_artifact(PLAN, {"job": {"name": job, "data": data}, "suites": suites})


def _place(name: str, places: dict[str, str]) -> str | None:
    """Where the job finds a suite's cases: the folder of an input, or the one file that the input's URI is."""
    if name not in places:
        return None
    file = places[name].rpartition("/")[2]
    return f"{WORK}/{name}/{file}" if file.endswith(JSON_LINES) else f"{WORK}/{name}"


def _start(job: str, trained: str) -> list[str]:
    """The container's entry point. Adapters come as an archive."""
    model, record = f"{WORK}/model", f"{WORK}/record/{job}.record.json"
    unpack = [] if trained.endswith("/") else [f"tar -xzf {model}/model.tar.gz -C {model} --no-same-owner"]
    return [
        *opening(f"{job}: written by hbspec; SageMaker runs it to evaluate the model."),
        f"cd -- {HERE}",
        "python -m pip install --quiet --requirement requirements.txt",
        *unpack,
        f"export HF_HOME={WORK}/hub",
        "code=0",
        f"python evaluate.py --plan {PLAN} --against {model} --output {quote(record)} || code=$?",
        "if ((code > 1)); then exit $code; fi  # 1: the model did not pass, as the record says",
    ]


def _input(name: str, uri: str) -> dict[str, Any]:
    place = {"S3Uri": uri, "LocalPath": f"{WORK}/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": place}


def _volume(analysis: Analysis) -> int:
    """Gigabytes for the base model's files in 16 bits, where their number is known, and for all else."""
    weights = 2 * total_parameters(analysis.architecture) if analysis.architecture else 0
    return ceil((DEFAULT_VOLUME + weights) / GB)


def _body(job: TrainingJob, instance_type: str, volume: int, inputs: dict[str, str]) -> dict[str, Any]:
    cluster: dict[str, Any] = {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": volume}
    output = {"S3Uri": "", "LocalPath": f"{WORK}/record", "S3UploadMode": "Continuous"}
    body: dict[str, Any] = {
        "ProcessingJobName": "",
        "RoleArn": job.role,
        "AppSpecification": {"ImageUri": job.image, "ContainerEntrypoint": ["/bin/bash", f"{WORK}/code/{STARTER}"]},
        "ProcessingInputs": [_input(name, uri) for name, uri in inputs.items()],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "record", "S3Output": output}]},
        "ProcessingResources": {"ClusterConfig": cluster},
        "StoppingCondition": {"MaxRuntimeInSeconds": MOST_SECONDS},
    }
    if job.kms_key is not None:
        body["ProcessingOutputConfig"]["KmsKeyId"] = cluster["VolumeKmsKeyId"] = job.kms_key
    if job.subnets:
        network = {"SecurityGroupIds": list(job.security_groups), "Subnets": list(job.subnets)}
        body["NetworkConfig"] = {"VpcConfig": network}
    if job.tags:
        body["Tags"] = [{"Key": key, "Value": value} for key, value in job.tags.items()]
    return body


def emit(job: EvaluationJob) -> list[Artifact]:
    """Write the files, after validating the body against the service's API model.

    Raises:
        LoweringError: the service would reject the body.
    """
    if findings := refused("CreateProcessingJob", job.body, job.training.region):
        raise LoweringError(findings)
    source = [file._replace(path=f"source/{file.path}") for file in job.source]
    return [json_artifact(BODY, job.body), script_artifact("evaluate.sh", _script(job)), *source]


def _script(job: EvaluationJob) -> list[str]:
    """The script that uploads the harness and starts the job, whose name ends with the time."""
    at, usage = region_option(job.training.region), "evaluate.sh JOB"
    return [
        *opening(f"{job.name}: starts the evaluation of the trained model, which is billed until it ends."),
        f"cd -- {HERE}",
        *owned(BODY, "ProcessingJobName", job.name),
        *trained_model(job.training, job.model_data, named="${1:-}", usage=usage, mark='"'),
        f"compiled={quote(json.dumps(job.model_data, ensure_ascii=False))}",
        f"body=$(<{BODY})",
        'body=${body%%"$compiled"*}$trained${body#*"$compiled"}',
        f"aws s3 cp{at} --no-progress --recursive source/ {quote(job.code)}",
        f'aws sagemaker create-processing-job{at} --cli-input-json "$body" \\',
        f"  --processing-job-name {quote(job.name)}-$(date -u +%y%m%d%H%M)",
        f"echo {quote('The record, and the answers as they come, are in ' + _record(job))}",
    ]


def _record(job: EvaluationJob) -> str:
    return str(job.body["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"])


TARGET = Target(
    "evaluation",
    "the body of CreateProcessingJob that evaluates the trained model",
    lower,
    emit,
    "evaluate.sh",
)
