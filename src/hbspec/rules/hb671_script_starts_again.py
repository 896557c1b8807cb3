"""Your script does not continue from a checkpoint, so every new start trains from the first update.

Why: A job that is stopped at `max_runtime`, fails, or loses its spot instance starts again with the same checkpoint
folder, /opt/ml/checkpoints. The `Trainer` of transformers loads a checkpoint from there only where it is asked to. The
code is read and never run: a script that loads checkpoints under other names is not recognised.

Example:

    script: {entry_point: own_restarted.py}
    monitoring: {metrics: [{name: loss, regex: "'loss': ([-+0-9.eE]+)"}]}

Instead:

    script: {entry_point: own_managed.py}  # makes an hbspec_job.Job

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
    https://huggingface.co/docs/transformers/main_classes/trainer#transformers.Trainer.train.resume_from_checkpoint
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.analysis.own_script import own_script
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where the script trains, and names nothing by which libraries go on from a checkpoint."""
    code, script = own_script(analysis.document, analysis.spec), analysis.spec.script
    if code is None or script is None or not code.trains or code.resumes:
        return
    yield RULE.at(
        ("script", "entry_point"),
        f"{script.entry_point} trains, but loads no checkpoint: a new start repeats all updates",
        "pass resume_from_checkpoint to train, or use hbspec_job in the script",
    )
