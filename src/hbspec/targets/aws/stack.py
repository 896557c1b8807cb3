"""The script `deploy.sh` that creates a stack of a template, or updates it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from shlex import quote
from typing import NamedTuple

from hbspec.targets.aws.endpoint import TrainingSource
from hbspec.targets.aws.submission import region_option
from hbspec.targets.aws.trained_model import trained_model
from hbspec.targets.lowering.shell import HERE, opening, owned


class HeldStack(NamedTuple):
    """A stack and what it holds.

    Attributes:
        stack: its name, unless the variable STACK says another. It begins with a letter.
        name: of what it holds, which is the default of one of the template's parameters.
        region: AWS region of the stack; None for the CLI's default.
        template: the file with the template.
        held: what is billed until the stack is deleted, a noun with its article.
        verb: of that noun, `is` or `are`.
    """

    stack: str
    name: str
    region: str | None
    template: str
    held: str
    verb: str


def stack_script(stack: HeldStack, parameters: Iterable[str]) -> list[str]:
    """The lines of `deploy.sh`.

    Args:
        stack: the stack that it creates or updates.
        parameters: lines that set `parameters` to options for the template's parameters, if they are not the defaults.
    """
    name, at = stack.name, region_option(stack.region)
    delete = f"  aws cloudformation delete-stack{at} --stack-name"
    events = f"  aws cloudformation describe-stack-events{at} --stack-name"
    return [
        *opening(
            f"{name}: creates or updates the stack of {stack.held}, which {stack.verb} billed until the stack is "
            "deleted.",
            "# STACK is another name of the stack. Further arguments go to aws cloudformation deploy, such as --tags.",
        ),
        f"cd -- {HERE}",
        *owned(stack.template, "Default", name),
        f"stack=${{STACK:-{quote(stack.stack)}}}",
        "parameters=()",
        *parameters,
        f'aws cloudformation deploy{at} --stack-name "$stack" --template-file {stack.template} \\',
        '  --no-fail-on-empty-changeset ${parameters[@]+"${parameters[@]}"} "$@" || {',
        "  echo 'The reason is among the events of the stack:' >&2",
        f"""  echo {quote(events)} "$stack" >&2""",
        "  exit 1",
        "}",
        f'aws cloudformation describe-stacks{at} --stack-name "$stack" \\',
        "  --query 'Stacks[0].Outputs[].[OutputKey, OutputValue]' --output text",
        f"echo '{stack.held.capitalize()} {stack.verb} billed until the stack is deleted:'",
        f"""echo {quote(delete)} "$stack\"""",
    ]


def model_parameters(training: TrainingSource | None, compiled: str) -> Iterator[str]:
    """Lines that name the model which a training job has written.

    Args:
        training: the job; None where the model's author puts it at the template's default.
        compiled: the template's default of where the model is.
    """
    if training is None:
        return
    yield from trained_model(training, compiled, named="${JOB:-}", usage="JOB=NAME deploy.sh")
    yield 'parameters=(--parameter-overrides "ModelDataUrl=$trained")'
