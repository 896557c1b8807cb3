"""The script `deploy.sh` that creates a stack of a template, or updates it."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from hbspec.targets.aws.submission import last_attempt, region_option
from hbspec.targets.lowering.shell import HERE, opening, owned


def stack_script(name: str, region: str | None, template: str, job: str | None) -> list[str]:
    """The lines of `deploy.sh`.

    Args:
        name: of the endpoint, and of the stack unless the variable STACK says another.
        region: AWS region of the stack; None for the CLI's default.
        template: the file with the template.
        job: the training job that writes the model; None where its author puts it at the template's default.
    """
    at = region_option(region)
    delete = f"  aws cloudformation delete-stack{at} --stack-name"
    events = f"  aws cloudformation describe-stack-events{at} --stack-name"
    return [
        *opening(
            f"{name}: creates or updates the stack of the endpoint, which is billed until the stack is deleted.",
            "# STACK is another name of the stack. Further arguments go to aws cloudformation deploy, such as --tags.",
        ),
        f"cd -- {HERE}",
        *owned(template, "Default", name),
        f"stack=${{STACK:-{quote(_stack_name(name))}}}",
        "parameters=()",
        *(_trained(job, region) if job else ()),
        f'aws cloudformation deploy{at} --stack-name "$stack" --template-file {template} \\',
        '  --no-fail-on-empty-changeset ${parameters[@]+"${parameters[@]}"} "$@" || {',
        "  echo 'The reason is among the events of the stack:' >&2",
        f"""  echo {quote(events)} "$stack" >&2""",
        "  exit 1",
        "}",
        f'aws cloudformation describe-stacks{at} --stack-name "$stack" \\',
        "  --query 'Stacks[0].Outputs[].[OutputKey, OutputValue]' --output text",
        "echo 'The endpoint is billed until the stack is deleted:'",
        f"""echo {quote(delete)} "$stack\"""",
    ]


def _stack_name(name: str) -> str:
    """A stack's name begins with a letter, an endpoint's may begin with a digit."""
    return name if name[:1].isalpha() else f"endpoint-{name}"


def _trained(job: str, region: str | None) -> Iterator[str]:
    """Lines that set the parameter ModelDataUrl to the output of the last completed attempt, or of the job in JOB."""
    yield "# Deploys the last completed attempt at the training job, or the training job in the variable JOB."
    yield "name=${JOB:-}"
    yield 'if [ -z "$name" ]; then'
    yield from (f"  {line}" for line in last_attempt(job, region, only="Completed"))
    yield "  if ((last == 0)); then"
    yield '    echo "$job: no attempt at this training job has completed. Compile the target sagemaker and run its" >&2'
    yield '    echo "submit.sh, or name another training job: JOB=NAME deploy.sh" >&2'
    yield "    exit 1"
    yield "  fi"
    yield "fi"
    yield f'trained=$(aws sagemaker describe-training-job{region_option(region)} --training-job-name "$name" \\'
    yield "  --query ModelArtifacts.S3ModelArtifacts --output text)"
    yield "trained=${trained%$'\\r'}  # the CLI may end lines as Windows does"
    yield 'if [ "$trained" = None ]; then echo "$name: this training job has no model" >&2; exit 1; fi'
    yield 'parameters=(--parameter-overrides "ModelDataUrl=$trained")'
