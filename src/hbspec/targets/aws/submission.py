"""The script `submit.sh`, which starts a job once, and again only if it failed or was stopped.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from shlex import quote
from types import MappingProxyType

from hbspec.plan.training_job import LAST_ATTEMPT
from hbspec.targets.aws.training_watch import of_attempt
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.shell import HERE, opening, owned, unchanged

STARTED_ALREADY = 3
"""Exit code of `submit.sh` if the job was already started."""
COMMANDS = {"PutMetricAlarm": "put-metric-alarm", "PutDashboard": "put-dashboard"}
"""The AWS CLI's words for what watches a job."""


def region_option(region: str | None) -> str:
    """The option `--region` for the AWS CLI; empty for the CLI's default region."""
    return f" --region {quote(region)}" if region else ""


def last_attempt(job: str, region: str | None, *, only: str = "") -> list[str]:
    """Shell lines that set `last` (the number of the job's last attempt, 0 without one), `name` and `status`.

    Args:
        job: the job's name, which is that of its first attempt.
        region: AWS region of the job; None for the CLI's default.
        only: the one status that counts; all if empty.
    """
    status = f" --status-equals {only}" if only else ""
    return [
        f"job={quote(job)}",
        f'jobs=$(aws sagemaker list-training-jobs{region_option(region)} --name-contains "$job"{status} \\',
        "  --query 'TrainingJobSummaries[].[TrainingJobName, TrainingJobStatus]' --output text)",
        "last=0 name=$job status=",
        "while read -r found state; do",
        f'  if [[ $found =~ ^"$job"(-([1-9][0-9]{{0,{len(str(LAST_ATTEMPT)) - 1}}}))?$ ]] '
        "&& ((${BASH_REMATCH[2]:-1} > last)); then",
        "    last=${BASH_REMATCH[2]:-1} name=$found status=${state%$'\\r'}  # the CLI may end lines as Windows does",
        "  fi",
        'done <<< "$jobs"',
    ]


def submission(
    job: str,
    region: str | None,
    code: str,
    checkpoints: str,
    files: Iterable[Artifact] = (),
    watched: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The lines of `submit.sh`.

    Args:
        job: the job's name.
        region: AWS region of the job; None for the CLI's default.
        code: the S3 folder that the source is uploaded to.
        checkpoints: the S3 folder with the checkpoints that every attempt continues from.
        files: what is submitted, as it was compiled.
        watched: the files of the requests to CloudWatch, and the operation of each.
    """
    at = region_option(region)
    return [
        *opening(
            f"{job}: uploads the source, sets the alarms and starts the training job. "
            "This is the only step that costs money.",
            "# A job that failed or was stopped is repeated as another attempt, which continues from its checkpoints.",
            f"# Exit codes: 0 the job was started; {STARTED_ALREADY} nothing was started, because this job was "
            "already started and is running or has completed;",
            "# any other: the exit code of the AWS CLI.",
        ),
        f"cd -- {HERE}",
        *owned("create_training_job.json", "TrainingJobName", job),
        *unchanged(files, "source"),
        *last_attempt(job, region),
        "started_already() {",
        '  echo "$name: this job was already started ($1); nothing was started. Inspect it with" >&2',
        f'  echo {quote(f"  aws sagemaker describe-training-job{at} --training-job-name")} "$name" >&2',
        '  echo "To run the same job again, set another name (sagemaker.job_name) and recompile." >&2',
        f"  exit {STARTED_ALREADY}",
        "}",
        "case $status in",
        "  '') ;;",
        "  Failed | Stopped)",
        f'    if ((last == {LAST_ATTEMPT})); then echo "$job: the limit is {LAST_ATTEMPT} attempts" >&2; exit 1; fi',
        "    name=$job-$((last + 1))",
        '    echo "$name: attempt $((last + 1)), as attempt $last is $status. It continues from any checkpoint in"',
        f"    echo {quote('  ' + checkpoints)}",
        "    ;;",
        '  *) started_already "$status" ;;',
        "esac",
        f"aws s3 cp{at} --no-progress --recursive source/ {quote(code)}",
        *_watching(job, at, watched),
        *_creating(at),
    ]


def _watching(job: str, at: str, watched: Mapping[str, str]) -> Iterator[str]:
    """Lines that make the alarms and the dashboard of the attempt `name`, or take over those of the one before."""
    if not watched:
        return
    yield "of_attempt() {  # the body in a file, of the attempt that is started"
    yield "  local text old new"
    yield '  text=$(< "$1")'
    for old, new in of_attempt(job, "$name"):
        quoted = new.replace("\\", "\\\\").replace('"', '\\"')
        yield f'  old={quote(old)} new="{quoted}"'
        yield '  text=${text//"$old"/$new}'
    yield "  printf '%s' \"$text\""
    yield "}"
    for file, operation in watched.items():
        yield f'aws cloudwatch {COMMANDS[operation]}{at} --cli-input-json "$(of_attempt {file})"'


def _creating(at: str) -> list[str]:
    """Lines that create the job; another run may have done so in the meantime."""
    return [
        f"answer=$(aws sagemaker create-training-job{at} --cli-input-json file://create_training_job.json \\",
        '  --training-job-name "$name" 2>&1) || {',
        "  code=$?",
        '  echo "$answer" >&2',
        "  if [[ $answer == *ResourceInUse* ]]; then started_already ResourceInUse; fi",
        "  exit $code",
        "}",
        'echo "$answer"',
    ]
