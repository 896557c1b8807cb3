"""The model that a program runs, with some of its layers."""

from __future__ import annotations

from collections.abc import Sequence

from hbspec.catalog import Architecture
from hbspec.estimators.step.lifetimes.build import Builder
from hbspec.estimators.step.lifetimes.loss import Loss
from hbspec.estimators.step.lifetimes.model import Network
from hbspec.estimators.step.lifetimes.program import Program


def builder(architecture: Architecture, program: Program) -> Builder:
    """What makes the modules of a model: one of a family, or one that was recorded."""
    if architecture.recorded is None:
        return Builder(architecture, program)
    from hbspec.estimators.step.lifetimes.build_recorded import RecordedBuilder  # which few specs need

    return RecordedBuilder(architecture, program, architecture.recorded)


def model_of(architecture: Architecture, program: Program, layers: Sequence[int]) -> Network:
    """The model with some of its layers."""
    build = builder(architecture, program)
    embedding = build.embedding()
    return Network(
        layers=[build.layer(index) for index in layers],
        embedding=embedding,
        final=build.final(),
        head=build.head(embedding),
        loss=Loss(
            standard=program.standard_loss,
            liger=program.liger_head,
            copies=program.loss_copies,
            in_place=program.loss_in_place,
            replaced=program.logits_replaced,
            returned=program.logits_returned,
            outputs_held=program.outputs_held,
            capped=architecture.family.capped or architecture.logits_capped,
            scaled="logits" in architecture.family.scaled,
            in_chunks=program.litgpt,
            in_parts=program.in_parts,
            recorded=build.after_head(),
            rewards=program.rewards,
        ),
        stream=program.stream,
        width=architecture.hidden_size,
        checkpointing=program.checkpointing,
        reentrant=program.reentrant,
        compute=program.compute if program.autocast else None,
        accumulates=program.accumulates,
        float16=program.float16,
        on_gpu=program.on_gpu,
        liger=program.liger,
        offloads=program.offloads,
    )
