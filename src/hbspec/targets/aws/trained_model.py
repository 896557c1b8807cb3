"""The model that a training job wrote: where it is, and the shell lines that find it.

Adapters are packed into `model.tar.gz`; whole weights are the files of a folder (OutputDataConfig, CompressionType).
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_OutputDataConfig.html
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from hbspec.plan.training_job import writes_whole_weights
from hbspec.spec import Spec
from hbspec.targets.aws.endpoint import TrainingSource
from hbspec.targets.aws.submission import last_attempt, region_option


def model_data(spec: Spec, output: str, job: str) -> str:
    """Where the model of a job is: an archive, or a folder.

    Args:
        spec: of the job.
        output: the prefix of all jobs' models, with its final slash.
        job: the job's name.
    """
    return f"{output}{job}/output/{'model/' if writes_whole_weights(spec) else 'model.tar.gz'}"


def trained_model(training: TrainingSource, compiled: str, *, named: str, usage: str, mark: str = "") -> Iterator[str]:
    """Shell lines that set `trained` to where the model of the last completed attempt is, or that of a named job.

    Args:
        training: the job.
        compiled: where the model is compiled to be.
        named: the shell's word for the job that is named.
        usage: how to name one.
        mark: what the URI is to stand between.
    """
    at, form = region_option(training.region), ("json", "null") if mark else ("text", "None")
    yield f"# Deploys the last completed attempt at the training job, or the training job that is named: {usage}"
    yield f"name={named}"
    yield 'if [ -z "$name" ]; then'
    yield from (f"  {line}" for line in last_attempt(training.job, training.region, only="Completed"))
    yield "  if ((last == 0)); then"
    yield '    echo "$job: no attempt at this training job has completed. Compile the target sagemaker and run its" >&2'
    yield f'    echo "submit.sh, or name another training job: {usage}" >&2'
    yield "    exit 1"
    yield "  fi"
    yield '  echo "Using the model of $name ($status)."'
    yield "fi"
    yield from _attempt_alone(training.job) if training.alone else ()
    yield f'trained=$(aws sagemaker describe-training-job{at} --training-job-name "$name" \\'
    yield f"  --query ModelArtifacts.S3ModelArtifacts --output {form[0]})"
    yield "trained=${trained%$'\\r'}  # the CLI may end lines as Windows does"
    yield f"""if [ "$trained" = {form[1]} ]; then echo "$name: this training job has no model" >&2; exit 1; fi"""
    yield from _as_compiled(compiled, mark)


def _attempt_alone(job: str) -> Iterator[str]:
    """Lines that refuse a job that is not an attempt at this one."""
    yield f"case $name in {quote(job)} | {quote(job)}-[0-9]*) ;; *)"
    yield f"""  echo "$name is not an attempt at "{quote(job)}', of which the evaluation is' >&2"""
    yield "  exit 1 ;;"
    yield "esac"


def _as_compiled(compiled: str, mark: str) -> Iterator[str]:
    """Lines that refuse an archive where a folder is served, and the other way round."""
    archive = f"case $trained in *'.tar.gz{mark}')"
    refused = 'echo "$name: its model is {}, but this spec serves {}" >&2; exit 1'
    if not compiled.endswith("/"):
        yield f"{archive} ;; *) {refused.format('unpacked', 'an archive')} ;; esac"
        return
    yield f"{archive} {refused.format('an archive', 'unpacked weights')} ;; esac"
    if mark:
        yield f"trained=${{trained%'{mark}'}}"
    yield f"trained=${{trained%/}}'/{mark}'  # a folder's URI ends with a slash, which the service may leave out"
