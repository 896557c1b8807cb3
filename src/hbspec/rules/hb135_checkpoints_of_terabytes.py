"""Many large checkpoints are kept, of which only the newest and the best are of use.

Why: A checkpoint holds the optimizer's states beside the weights: 6 to 12 bytes a parameter where everything is
trained, 48 to 96 GB for 8B. A job goes on from the newest, and `load_best_model_at_end` reads the best; all others fill
the disk, are uploaded to S3 and are stored there until somebody deletes them. Writing them takes time of all GPUs. The
threshold is 10 checkpoints and 1 TB together: recipes that save each epoch, and those of the alignment handbook, which
keep 1, stay below it.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.p5.48xlarge, parallelism: fsdp, max_runtime: 5h}
    hyperparameters: {method: full, bnb_quant_type: null, bnb_double_quant: null, lora_r: null, lora_alpha: null,
                      lora_dropout: null, learning_rate: 1e-5, save_steps: 10, save_total_limit: 30}
    deployment: null

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.p5.48xlarge, parallelism: fsdp, max_runtime: 5h}
    hyperparameters: {method: full, bnb_quant_type: null, bnb_double_quant: null, lora_r: null, lora_alpha: null,
                      lora_dropout: null, learning_rate: 1e-5, save_steps: 10, save_total_limit: 3}
    deployment: null

References:

    https://github.com/huggingface/transformers/pull/1429
    https://github.com/Positronic-Robotics/positronic/pull/374
    https://github.com/NVIDIA-NeMo/Speech/issues/9967
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Fix, Severity
from hbspec.rules.checkpoints import SAVE_TOTAL_LIMIT, USUAL, kept
from hbspec.rules.rule import Rule
from hbspec.units import GB, bytes_text, count_text

RULE = Rule(__name__, Severity.WARNING, Confidence.LIKELY)
MOST = 10
"""Checkpoints that may be kept whatever their size: one for each epoch, or to compare some of them."""
LARGE = 1000 * GB
"""Bytes of all checkpoints, below which their number does not matter."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the number of checkpoints that are kept, and their bytes, with what is of use."""
    every = analysis.plan.saves_every
    if every is None:
        return
    written, limit = ceil(analysis.plan.updates / every), kept(analysis)
    held = written if limit is None else min(limit, written)
    size = analysis.plan.require("checkpoint_bytes")
    if held <= MOST or held * size <= LARGE:
        return
    fix = Fix(f"set save_total_limit: {USUAL}", SAVE_TOTAL_LIMIT, USUAL)
    seldom = every * ceil(written / MOST)
    yield RULE.at(
        SAVE_TOTAL_LIMIT,
        f"{count_text(held)} checkpoints of {bytes_text(size)} are kept, {bytes_text(held * size)} in all, but a job "
        "reads the newest and the best only",
        fix.title,
        instead=(USUAL, Fix("", ("hyperparameters", "save_steps"), seldom)),
    )
