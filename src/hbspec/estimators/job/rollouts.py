"""The time of getting completions and of scoring them, before a process trains on them.

Symbols: n completions that a process generates together, C the steps of decoding: of the longest among them, since all
wait for it. Source: TRL 1.16.0, `grpo_trainer.py`, `_prepare_inputs`, `_generate_single_turn`;
`generation/vllm_generation.py`. No measured step of GRPO was found with its configuration: all widths are beliefs.

Left out: what reward functions take, tools and environments, rows whose completions are masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from hbspec.diagnostics import Missing, NotKnownError, Route
from hbspec.estimators.constants import OBJECTIVE_ERROR, STEP, StepConstants
from hbspec.estimators.serving.decoding import step_of as decoding_step
from hbspec.estimators.serving.generating import engine_room, generating_plan
from hbspec.estimators.serving.memory import request_cache
from hbspec.estimators.serving.prefill import prefill_seconds
from hbspec.estimators.step.duration import micro_batch
from hbspec.estimators.step.exchange import hooked_units, offloaded_seconds, sent_seconds
from hbspec.estimators.step.job import Job, job_of
from hbspec.estimators.step.kernels import kernels
from hbspec.estimators.step.lifetimes.evaluation import evaluating
from hbspec.plan import Plan
from hbspec.plan.lengths import SHORTEST_PLAUSIBLE_EXAMPLE
from hbspec.plan.parallelism import Engine
from hbspec.plan.rollouts import GENERATE, SERVER, Rollouts
from hbspec.units import Interval

GENERATION_ERROR = Interval(1.0, 1.0, 2.0)
"""Factor on the time of a generation, beside that of the engine's own steps, than which none is faster. A belief:
sampling and the tokenizer take their time, and a PEFT model calls its adapters from Python."""

PER_TENSOR_SECONDS = Interval(0.0003, 0.002, 0.015)
"""Seconds in which a tensor of the weights goes into a colocated vLLM (`sync_weights` takes one by one). Assumed."""

SHARE: Route = ("hyperparameters", "vllm_gpu_memory_utilization")

TENSORS_OF_A_LAYER = 12
"""Tensors of a decoder layer, counted roughly."""

WAKING_SECONDS = Interval(0.3, 2.0, 10.0)
"""Seconds in which a vLLM that slept gets its memory back, and gives it up again. Assumed."""

WIDE = 4
"""How often weights in fp32 are moved, in units of their 16-bit size: autocast reads and narrows them in every step."""


class Rolled(NamedTuple):
    """Seconds of what comes before the updates over completions of one generation, on each process."""

    generation: Interval
    scoring: Interval

    @property
    def total(self) -> Interval:
        """One after the other."""
        return self.generation + self.scoring


def rolled(plan: Plan, rollouts: Rollouts, tokens: float, constants: StepConstants = STEP) -> Rolled:
    """Seconds of a generation and of its scoring, with rows of so many tokens after padding.

    Args:
        plan: the plan.
        rollouts: of its training.
        tokens: of the prompts, padded to the longest, with the longest completion.
        constants: of the step.

    Raises:
        NotKnownError: a server of its own generates, or the speed of the GPU or of the model's layers is not known.
    """
    passes = rollouts.old + bool(plan.training.objective.reference)
    forward = micro_batch(plan, tokens, backward=False).seconds(constants)
    scoring = forward * OBJECTIVE_ERROR * (passes * rollouts.steps)
    return Rolled(_generation(plan, rollouts, tokens), scoring)


def rolled_of_an_update(plan: Plan, constants: StepConstants = STEP) -> Mapping[str, Interval]:
    """Seconds of generating and of scoring what one update trains on, by name; empty without rollouts.

    Raises:
        NotKnownError: as `rolled`.
    """
    rollouts, lengths = plan.training.rollouts, plan.padded_row_tokens
    if rollouts is None:
        return {}
    found = [rolled(plan, rollouts, tokens, constants) for tokens in (lengths.low, lengths.expected, lengths.high)]
    often = plan.training.gradient_accumulation / (rollouts.steps * rollouts.iterations)

    def over(shortest: Interval, usual: Interval, longest: Interval) -> Interval:
        return Interval(shortest.low, usual.expected, longest.high) * often

    return {
        "generation": over(*(one.generation for one in found)),
        "scoring": over(*(one.scoring for one in found)),
    }


def _generation(plan: Plan, rollouts: Rollouts, tokens: float) -> Interval:
    if rollouts.engine == SERVER:
        raise NotKnownError(Missing("the GPUs of vLLM's server", ("hyperparameters", "vllm_mode")))
    if plan.training.compute_dtype == "float32":
        raise NotKnownError(Missing("the speed of generating in float32", ("hyperparameters", "bf16")))
    completion = _decoded(plan, rollouts, tokens)
    prompt = max(1.0, tokens - completion)
    generate = _with_transformers if rollouts.engine == GENERATE else _with_vllm
    return generate(plan, rollouts, prompt, completion) * GENERATION_ERROR


def _decoded(plan: Plan, rollouts: Rollouts, tokens: float) -> float:
    """Steps of decoding of rows of so many tokens: as far between the least and the cap as the rows are."""
    rows, least = plan.padded_row_tokens, min(SHORTEST_PLAUSIBLE_EXAMPLE, rollouts.completion)
    share = (tokens - rows.low) / (rows.high - rows.low) if rows.high > rows.low else 1.0
    return least + min(max(share, 0.0), 1.0) * (rollouts.completion - least)


def _with_transformers(plan: Plan, rollouts: Rollouts, prompt: float, completion: float) -> Interval:
    """Prompts are read at once, and each step waits for the host to launch every kernel, adapters' included."""
    rows = rollouts.rows(plan.training.micro_batch)
    served, job, hardware = generating_plan(plan, rollouts, rows), job_of(plan), plan.require("hardware")
    step = decoding_step(served, prompt + completion / 2, rows)
    wide = WIDE if plan.training.weights_dtype == "float32" and not plan.training.quantization else 1
    step = step._replace(layers=ceil(step.layers * _launched(job, rows)), weights=wide * step.weights)
    once = sent_seconds(job, hardware, 1, rows) if job.sharded or job.offload == "all" else Interval.exact(0)
    reading = prefill_seconds(served, prompt, rows) + once
    handover = STEP.handover if plan.way.splits_layers and hardware.gpus > 1 else 1.0
    return reading + (step.interval() + _elsewhere(plan, job, rows)) * (completion * handover)


def _launched(job: Job, rows: int) -> float:
    """Kernels of a forward pass of one token a row, adapters included, over those without."""
    training = job.training._replace(micro_batch=rows)
    program = evaluating(job.program)._replace(dropout=job.program.dropout)
    plain = program._replace(targets=(), modules_to_save=(), dropout=False, dora=False)
    adapted, alone = (kernels(job._replace(training=training, program=one), 1)[0].launches for one in (program, plain))
    return max(1.0, adapted / alone) if job.training.adapters else 1.0


def _elsewhere(plan: Plan, job: Job, rows: int) -> Interval:
    """Seconds of a step in which weights come from other ranks or the host; ZeRO-3 gathers them once instead."""
    if plan.way.engine is Engine.DEEPSPEED:
        return Interval.exact(0)
    hardware = plan.require("hardware")
    hooks = STEP.launch * (STEP.unit * hooked_units(job, 1))
    return sent_seconds(job, hardware, 1, rows) + hooks + offloaded_seconds(job, hardware, 1, 1)


def _with_vllm(plan: Plan, rollouts: Rollouts, prompt: float, completion: float) -> Interval:
    """The completions of all processes that share an engine, in as many waves as its cache has room for."""
    rows = rollouts.rows(plan.training.micro_batch) * rollouts.parts
    served, job = generating_plan(plan, rollouts, rows), job_of(plan)
    found = engine_room(plan, rollouts)
    request = request_cache(served, prompt + completion)
    if rollouts.parts * found.cache < request:
        raise NotKnownError(Missing("a share of the GPU in which vLLM has room for a completion", SHARE))
    waves = max(1.0, rows * request / (rollouts.parts * found.cache))
    step = decoding_step(served, prompt + completion / 2, max(1.0, rows / waves))
    synced = PER_TENSOR_SECONDS * (TENSORS_OF_A_LAYER * job.architecture.num_hidden_layers)
    if job.sharded:
        synced += sent_seconds(job, plan.require("hardware"), 1, 1)
    if rollouts.sleeps:
        synced += WAKING_SECONDS
    return prefill_seconds(served, prompt, rows) + step.interval() * (completion * waves) + synced
