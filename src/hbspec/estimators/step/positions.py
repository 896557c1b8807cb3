"""Ids of positions, the cosines and sines that all layers share, and a mask that no layer gets."""

from __future__ import annotations

from math import ceil

from hbspec.catalog import Architecture
from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.layers import SLIDING
from hbspec.estimators.step.job import Job
from hbspec.estimators.step.lifetimes.ledger import ROWS_TOKENS, Form
from hbspec.estimators.step.lifetimes.program import Program, mask_of


def row_tokens(job: Job, tokens: int) -> int:
    """Tokens of a row: packed rows of a micro-batch become one in some versions and strategies of TRL.

    Source: TRL 1.16.0, `DataCollatorForLanguageModeling`; `hbspec.plan.epochs.ROWS_JOINED`.
    """
    return tokens * job.training.micro_batch if job.training.joined else tokens


def computed_tokens(job: Job, tokens: int) -> int:
    """Tokens of a row that its layers compute, padding to whole chunks of linear attention included.

    Only that attention computes the padding. What else a layer holds is counted for it too, for up to 63 tokens a row,
    so that one run of the layers serves every length. The chunks of a state space may be longer: what it computes
    beyond those tokens is counted for it alone (`program_at`).
    """
    if job.architecture.linear_attention is None and job.architecture.state_space is None:
        return tokens
    return -(-tokens // ROWS_TOKENS) * ROWS_TOKENS


def program_at(job: Job, tokens: float) -> Program:
    """What runs at a length: a row as long as the sliding window gets a mask, and one of a state space whole chunks.

    Some recorded code pads its rows too, or loops over them.
    """
    architecture, program = job.architecture, job.program
    if architecture.state_space is not None:
        row = row_tokens(job, computed_tokens(job, ceil(tokens)))
        program = program._replace(padding=architecture.state_space.padding(row))
    if architecture.recorded is not None and architecture.recorded.by_length:
        program = program._replace(length=row_tokens(job, ceil(tokens)))
    window = architecture.sliding_window
    return program._replace(windowed=True) if window is not None and tokens >= window else program


def positions_bytes(job: Job, tokens: int) -> int:
    """Ids of the positions, and their cosines and sines, once for every base frequency."""
    tokens = row_tokens(job, tokens)
    if job.architecture.recorded is not None:
        from hbspec.estimators.step.lifetimes.build_recorded import variant_of  # which few specs need

        rows = job.program.rows
        held = job.architecture.recorded.held(variant_of(job.program, masked=False), rows)
        return Form(*held).at(rows * tokens, tokens)
    architecture, family = job.architecture, job.architecture.family
    element = FLOAT32 if family.rotated_wide else job.precision.stream
    return 8 * tokens + 2 * element * sum(rotary_widths(architecture)) * tokens * turned_rows(job)


def rotary_widths(architecture: Architecture) -> list[int]:
    """Numbers of a head that are rotated, once for every base frequency."""
    kinds = sorted({*architecture.layer_types}) if architecture.family.rotations_by_kind else [""]
    if architecture.global_heads is None:
        return [architecture.rotary_size] * len(kinds)
    return [architecture.heads(kind).width for kind in kinds]


def buffer_bytes(job: Job) -> int:
    """Buffers of the model that no weight is: the frequencies of a family's rotary embedding, or those recorded."""
    recording, states = job.architecture.recorded, job.architecture.state_space
    scales = job.architecture.num_hidden_layers * states.projected if states is not None and states.scaled else 0
    frequencies = 4 * job.architecture.head_dim + scales * job.precision.stream
    return frequencies if recording is None else recording.buffers(job.precision.stream)


def spare_mask_bytes(job: Job, tokens: int) -> int:
    """A mask for a window that no layer has, which the model holds until its forward pass is over.

    It is one for all rows, unless they are padded. Source: transformers 5.23.0, `Qwen2MoeModel.forward`.
    """
    if not job.architecture.family.spare_mask:
        return 0
    element = mask_of(job.program._replace(windowed=True), SLIDING) or 0
    rows = job.training.micro_batch if job.program.padded and not job.training.joined else 1
    return element * rows * row_tokens(job, tokens) ** 2


def turned_rows(job: Job) -> int:
    """Rows of a micro-batch that have cosines and sines of their own; else 1, which all share."""
    each = job.architecture.family.rotated_each_row and not job.training.joined
    return job.training.micro_batch if each else 1
