"""`data.input_mode: FastFile` saves nothing: the script reads all data before the first update.

Why: FastFile pays where a script reads large files in order while it trains, as from 50 GB of them on, since training
then starts before the data are there. The shipped script checks and tokenises every example first, in each process of a
host, so that the data are read from S3 once or several times instead of being downloaded once. What is saved is the
disk that the text would take. File is the better choice for what a fine-tuning job usually has: less than 50 GB.

Example:

    data: {input_mode: FastFile}

Instead:

    data: {input_mode: File}

References:

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data-best-practices.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.estimators.job.phases import data_text
from hbspec.rules.rule import Rule
from hbspec.units import GB, bytes_text

RULE = Rule(__name__, Severity.NOTE, Confidence.LIKELY)
LARGE = 50 * GB
"""Bytes from which on AWS's guide thinks of FastFile: "less than 50-100 GB, try using file mode"."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """A finding for streamed data that the shipped script reads, unless they are as large as streaming is meant for."""
    if not analysis.plan.streams_data or not analysis.spec.shipped:
        return
    size = data_text(analysis.plan)
    if size.expected < LARGE:
        yield RULE.at(
            ("data", "input_mode"),
            f"input_mode is FastFile for about {bytes_text(size.expected)} of text, all of which is read before "
            "the first update",
            "set data.input_mode: File, unless the disk is too small for the text",
        )
