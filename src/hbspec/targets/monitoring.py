"""Target `monitoring`: the training job's alarms and dashboard as one template, and the script that deploys it.

They are those that the submission of the job sets, made of the same bodies, for accounts in which stacks own them; the
spec then says `monitoring.alarms: false`. The stack watches the attempt that its parameter names: `deploy.sh` names the
last one.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html
"""

from __future__ import annotations

from hbspec.analysis import Analysis
from hbspec.targets import sagemaker
from hbspec.targets.aws.dynamic_references import dynamic_references
from hbspec.targets.aws.refusals import accepted
from hbspec.targets.aws.stack import HeldStack, stack_script
from hbspec.targets.aws.submission import last_attempt
from hbspec.targets.aws.training_dashboard import watch_bodies
from hbspec.targets.aws.training_template import OF_ATTEMPT, training_template
from hbspec.targets.aws.training_watch import TrainingWatch, training_watch
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import LoweringError, refusal
from hbspec.targets.lowering.target import Target

TEMPLATE = "template.json"
SECTION = ("monitoring",)


def lower(analysis: Analysis) -> TrainingWatch:
    """Choose what is watched.

    Raises:
        LoweringError: the spec bounds nothing that the job sends, lacks a key that the training job needs, or holds a
            text that CloudFormation would replace.
    """
    job = sagemaker.lower(analysis, "monitoring")
    watch = training_watch(analysis, job.name, job.role, job.metrics)
    if watch is None:
        message = "target monitoring needs a bound on a metric that the job sends, and monitoring has none"
        action = "add one, such as monitoring.gpu_memory.max, or compile the target sagemaker alone"
        raise LoweringError([refusal("HB040", SECTION, message, action)])
    instead = "compile the target sagemaker with monitoring.alarms: true"
    if replaced := dynamic_references(analysis.document.values, watch_bodies(watch), "monitoring", instead):
        raise LoweringError(replaced)
    return watch


def emit(watch: TrainingWatch) -> list[Artifact]:
    """Write the template, after validating the bodies that it is made of, and the script.

    Raises:
        LoweringError: CloudWatch would reject a body.
    """
    accepted(watch_bodies(watch), watch.region)
    held = HeldStack(
        f"monitoring-{watch.job}", watch.job, watch.region, TEMPLATE, "the alarms and the dashboard", "are"
    )
    return [
        json_artifact(TEMPLATE, training_template(watch)),
        script_artifact("deploy.sh", stack_script(held, _parameters(watch))),
    ]


def _parameters(watch: TrainingWatch) -> list[str]:
    return [
        "# Watches the last attempt at the training job, or the training job that is named: JOB=NAME deploy.sh",
        "name=${JOB:-}",
        'if [ -z "$name" ]; then',
        *(f"  {line}" for line in last_attempt(watch.job, watch.region)),
        "fi",
        f'parameters=(--parameter-overrides "{OF_ATTEMPT}=$name")',
    ]


TARGET = Target(
    "monitoring",
    "one CloudFormation template of the training job's alarms and dashboard",
    lower,
    emit,
    "deploy.sh",
)
