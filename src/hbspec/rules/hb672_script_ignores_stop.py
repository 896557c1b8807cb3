"""Your script does not handle SIGTERM, so what it has trained since its last checkpoint is lost when it is stopped.

Why: SageMaker sends SIGTERM at `max_runtime`, at `hbspec stop` and when it takes a spot instance back, and kills the
job 120 seconds later. Python ends at the signal at once, without a checkpoint, and with several processes the others
wait in vain for the one that has ended. The code is read and never run: a handler that a library sets is not
recognised.

Example:

    script: {entry_point: own_killed.py}
    monitoring: {metrics: [{name: loss, regex: "'loss': ([-+0-9.eE]+)"}]}

Instead:

    script: {entry_point: own_managed.py}  # makes an hbspec_job.Job

References:

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html
    https://docs.python.org/3/library/signal.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.analysis.own_script import own_script
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding where the script trains, and names no signal."""
    code, script = own_script(analysis.document, analysis.spec), analysis.spec.script
    if code is None or script is None or not code.trains or code.stops:
        return
    yield RULE.at(
        ("script", "entry_point"),
        f"{script.entry_point} trains, but handles no SIGTERM: a stop loses the updates since its last checkpoint",
        "save at SIGTERM, or use hbspec_job in the script",
    )
