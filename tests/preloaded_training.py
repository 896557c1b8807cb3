"""A process that has imported what a job imports: one for all tests of a worker, which fork theirs from it."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest import mock

from preloaded import Preloaded

TRAINING = ("torch", "transformers", "accelerate", "peft", "datasets", "bitsandbytes", "trl.trainer.sft_trainer")
"""What a job imports, in seconds."""
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


@cache
def preloaded() -> Preloaded:
    """A process that has imported what a job imports."""
    import torch  # noqa: F401 - or the test is skipped

    started = Preloaded(*TRAINING, environment=ENVIRONMENT)
    atexit.register(started.close)
    # its imports are made before the time of a job counts
    started.run(["-m", "keyword"], folder=Path.cwd(), environment=ENVIRONMENT)
    return started


@contextmanager
def imports_made() -> Iterator[None]:
    """What is started by `sys.executable` here, or by what is started so, has the imports of a job behind it."""
    with mock.patch.object(sys, "executable", str(preloaded().python)):
        yield
