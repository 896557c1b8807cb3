"""The script `deploy.sh` that creates a stack of a template, or updates it."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from hbspec.targets.aws.endpoint import TrainingSource
from hbspec.targets.aws.submission import region_option
from hbspec.targets.aws.trained_model import trained_model
from hbspec.targets.lowering.shell import HERE, opening, owned


def stack_script(
    name: str, region: str | None, template: str, training: TrainingSource | None, compiled: str
) -> list[str]:
    """The lines of `deploy.sh`.

    Args:
        name: of the endpoint, and of the stack unless the variable STACK says another.
        region: AWS region of the stack; None for the CLI's default.
        template: the file with the template.
        training: the training job that writes the model; None where its author puts it at the template's default.
        compiled: the template's default of where the model is.
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
        *(_model(training, compiled) if training else ()),
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


def _model(training: TrainingSource, compiled: str) -> Iterator[str]:
    yield from trained_model(training, compiled, named="${JOB:-}", usage="JOB=NAME deploy.sh")
    yield 'parameters=(--parameter-overrides "ModelDataUrl=$trained")'
