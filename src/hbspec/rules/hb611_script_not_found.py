"""The training script is not where `script` says.

Why: `source_dir` is copied into the job. Without the script the job starts, is billed for loading its image, and fails.

Example:

    script: {source_dir: ., entry_point: train.py}

Instead:

    script: null

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/docker-containers-create.html
    https://github.com/philschmid/sagemaker-huggingface-llama-2-samples/issues/17
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.source.paths import PathError, contained

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding unless `source_dir` is a folder inside the project, and `entry_point` a file inside that folder."""
    script, document = analysis.spec.script, analysis.document
    if script is None or document.translated is not None:  # whose program starts by a script that it does not name
        return
    route = ("script", "source_dir")
    try:
        folder = contained(
            script.source_dir, document.origin(route), document.root, document.allow_outside, folder=True
        )
        route = ("script", "entry_point")
        contained(script.entry_point, folder, folder)
    except PathError as reason:
        yield RULE.at(
            route, str(reason), "set source_dir relative to this file, and entry_point relative to source_dir"
        )
