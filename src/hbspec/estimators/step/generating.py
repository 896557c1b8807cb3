"""The generation of completions on one GPU, by transformers' `generate` or beside a vLLM.

Symbols: n completions that a process generates together, P tokens of the longest prompt, C of the longest completion, V
vocabulary. Source: TRL 1.16.0, `grpo_trainer.py`, `_generate_single_turn`; transformers 5.23.0, `generation/utils.py`,
`_sample`, and `cache_utils.py`, `DynamicLayer.update`. The sums are bounds from above, by up to 8 % of a trace of
`generate` itself (`tests/oracle/test_generation.py`).

Left out: continuous batching, `generation_kwargs`, other caches than the usual one, which keeps all tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.parameters import kv_cache_bytes_per_token
from hbspec.estimators.step.evaluation import passing, shared_by_layers
from hbspec.estimators.step.job import Job, rows_of
from hbspec.estimators.step.lifetimes.evaluation import evaluating
from hbspec.estimators.step.moment import Moment, moment, part
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.positions import buffer_bytes
from hbspec.estimators.step.rollouts import ENGINE, IDS, awake
from hbspec.estimators.step.scoring import between_updates
from hbspec.estimators.step.states import share, states_of, whole_weights
from hbspec.plan.epochs import QUERIES_PACKED
from hbspec.plan.parallelism import Engine
from hbspec.plan.rollouts import COLOCATED, GENERATE, Rollouts

GENERATION = "generation"
"""What the moments are called."""

SAMPLED = 5
"""Numbers in fp32 of each logit while a token is drawn: the logits as they come and as a copy, scaled by the
temperature, their probabilities, and what `torch.multinomial` divides them by."""

HELD = 3
"""Of them, those that are still there while the layers compute the next token: copy, scaled, and probabilities."""

GENERATED_BYTES = 4 * IDS
"""Of each token: its id and mask, each with the copy that one more token makes of it."""


def generation_moments(job: Job, stage: Stage, tokens: int) -> Iterator[Moment]:
    """Every moment of a generation that can be the largest.

    Args:
        job: the job.
        stage: what this GPU computes on.
        tokens: P + C.
    """
    rollouts = job.training.rollouts
    if rollouts is None:
        return
    if rollouts.engine == GENERATE:
        rows = max(rollouts.rows(job.training.micro_batch), job.training.eval_batch or 0)
        yield from _generate(_generating(job, rows), stage, tokens, rollouts)
        return
    engine = {} if awake(job) else {ENGINE: job.engine}
    # adapters are merged before vLLM gets the weights, for which ZeRO-3 gathers all of them; else one at a time
    merged = _gathered(job, stage) if job.training.adapters else {}
    if merged or rollouts.engine == COLOCATED:
        yield moment(GENERATION, *between_updates(job, stage, states_of(job, stage)), part(engine), part(merged))


def _generating(job: Job, rows: int) -> Job:
    """The job as it reads the prompts: rows of all lengths in one batch, in training mode.

    Adapters run outside of autocast, since what `generate` of a PEFT model calls is the model inside of it.
    """
    training = job.training._replace(micro_batch=rows)
    program = evaluating(job.program)._replace(
        dropout=job.program.dropout,
        autocast=job.program.autocast and not training.adapters,
        several_rows=rows > 1,
        padded=rows > 1 or job.program.padded,
        rows=rows_of(job.architecture, training),
    )
    return job._replace(training=training, program=program)


def _generate(job: Job, stage: Stage, tokens: int, rollouts: Rollouts) -> Iterator[Moment]:
    """Moments of reading the prompts and of the last token."""
    prompt, rows = max(1, tokens - rollouts.completion), job.training.micro_batch
    beside = [*between_updates(job, stage, states_of(job, stage)), part(_gathered(job, stage))]
    beside.append(part({"inputs": GENERATED_BYTES * rows * tokens + buffer_bytes(job)}))
    drawn = part(_drawn(job, stage, rows))
    headless = stage._replace(head=False)
    read = part({"key_value_cache": _cache(job, stage, rows * prompt)})
    shared = shared_by_layers(job, headless, prompt)
    # where a mask says which tokens count, each row has positions of its own
    turned = {"positions": (rows - 1) * shared["positions"]}
    yield from passing(GENERATION, job, headless, prompt, [*beside, read, part(turned)], part(shared))
    yield moment(GENERATION, *beside, read, drawn)
    cache, attended = part({"key_value_cache": _cache(job, stage, rows * tokens)}), part(_attended(job, rows * tokens))
    yield moment(GENERATION, *beside, cache, drawn)
    if stage.layers:
        shared = shared_by_layers(job, headless, 1)
        held = part({"logits": drawn.total * HELD // SAMPLED})
        yield from passing(GENERATION, job, headless, 1, [*beside, cache, attended, held], part(shared))


def _gathered(job: Job, stage: Stage) -> Mapping[str, int]:
    """Weights that ZeRO-3 gathers whole for a generation (`ds3_gather_for_generation`, which is TRL's default)."""
    if job.way.engine is not Engine.DEEPSPEED or not job.way.shards_weights:
        return {}
    adapters = job.precision.trained * job.trainable if job.training.adapters else 0
    return {"gathered_weights": sum(whole_weights(job, stage).values()) + adapters}


def _element(job: Job) -> int:
    """Bytes of a cached number: the rotary embedding leaves keys as wide as the residual stream."""
    return max(job.precision.stream, job.precision.compute)


def _cache(job: Job, stage: Stage, tokens: int) -> int:
    """Bytes of keys and values of a stage's layers: 2 x key-value heads x head_dim x tokens for each layer."""
    whole = kv_cache_bytes_per_token(job.architecture, _element(job)) * tokens
    return share(whole, stage, job.architecture.num_hidden_layers)


def _attended(job: Job, tokens: int) -> Mapping[str, int]:
    """What one layer holds beside the cache while it attends with one more token.

    Keys and values are copied to grow by one. Eager attention repeats them for every query head, and so does SDPA with
    a mask in older releases; FlashAttention's are gathered without their padding.
    """
    heads = [one for one, _ in job.architecture.attention]
    grown = max((2 * one.key_value_size for one in heads), default=0)
    training, repeated = job.training, max((2 * one.query_size for one in heads), default=0)
    if training.kernel == "flash_attention_2":
        repeated = grown
    elif training.kernel == "sdpa" and training.has(QUERIES_PACKED):
        repeated = 0
    return {"attention": _element(job) * tokens * (grown + repeated)}


def _drawn(job: Job, stage: Stage, rows: int) -> Mapping[str, int]:
    """The logits of the last position of every row, and what drawing a token makes of them."""
    return {"logits": SAMPLED * FLOAT32 * rows * job.architecture.vocab_size if stage.head else 0}
