"""Why a job failed, where SageMaker looks for it: `FailureReason` of the job is the file's first 1,024 characters.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from settings import ROOT, Folders

FAILURE = ROOT / "output/failure"
LONGEST = 1024


def tell(folders: Folders, problems: Sequence[str]) -> None:
    """Writes the file, if the run is one of SageMaker's; a disk without room must not hide the failure itself."""
    if folders.output_data_dir == ROOT / "output/data" and FAILURE.parent.is_dir():
        with suppress(OSError):
            FAILURE.write_text("\n".join(problems)[:LONGEST], encoding="utf-8", errors="backslashreplace")
