"""The time of reading prompts, to the first token and to the last."""

from __future__ import annotations

from math import ceil

from hbspec.diagnostics import Missing, known
from hbspec.estimators.serving.constants import FP8_REACHED, SERVING, ServingConstants
from hbspec.estimators.serving.decoding import ENDPOINT, computes_in_fp8, parts_of, peak_flops, step_of
from hbspec.estimators.serving.machines import memory_of
from hbspec.estimators.serving.profiled import batched_tokens
from hbspec.estimators.serving.summing import summed_over_pcie
from hbspec.estimators.step.flops import answering
from hbspec.plan import ServingPlan
from hbspec.units import Interval


def prompt_seconds(plan: ServingPlan, tokens: float, requests: float = 1) -> float:
    """Seconds of prefill at the peak speed of the GPUs that share the model.

    Of T tokens each: a forward pass of T tokens, half of attention's T² pairs since it is causal, and the head once.

    Raises:
        NotKnownError: the architecture, the hardware or its speed in the served dtype is not known.
    """
    architecture, gpu = parts_of(plan)
    peak = known(peak_flops(gpu, plan), Missing(f"the speed of {gpu.name} in {plan.dtype}", ENDPOINT))
    work = answering(architecture)
    operations = work.token * tokens + work.pair * tokens * tokens / 2 + work.head
    return requests * operations / peak / plan.tensor_parallel


def reached_share(plan: ServingPlan, constants: ServingConstants = SERVING) -> float:
    """The share of the GPU's peak that prefill reaches in the engine of a spec.

    Raises:
        NotKnownError: the architecture or the hardware is not known.
    """
    gpu = parts_of(plan)[1]
    memory = memory_of(gpu)
    return constants.served.prefilling[memory] * (FP8_REACHED[memory] if computes_in_fp8(gpu, plan) else 1.0)


def prefill_seconds(
    plan: ServingPlan, tokens: float, requests: float = 1, constants: ServingConstants = SERVING
) -> Interval:
    """Seconds of prefill: operations of a forward pass, with the causal half of attention, / (peak x efficiency).

    At least the time of a step with two requests, since for several tokens weights are unpacked first, for each chunk
    of `max_num_batched_tokens`.

    Args:
        plan: the endpoint.
        tokens: tokens per prompt.
        requests: number of prompts in the batch.
        constants: fitted or assumed constants.

    Raises:
        NotKnownError: the architecture, the hardware or its speed in the served dtype is not known.
    """
    return _products(plan, tokens, requests, constants) + summed_over_pcie(plan, requests * tokens)


def _products(plan: ServingPlan, tokens: float, requests: float, constants: ServingConstants) -> Interval:
    """Seconds of prefill without the sums over PCIe."""
    least = prompt_seconds(plan, tokens, requests)
    step = step_of(plan, 0, min(2, requests * tokens))
    reached = reached_share(plan, constants) if step.served else constants.prefill
    chunks = ceil(requests * tokens / batched_tokens(plan)) if step.served else 1
    expected = max(least / reached, chunks * step.seconds(constants))
    error = step.error(constants)
    return Interval(max(least, expected * error.low), expected, expected * error.high)


def first_token_seconds(
    plan: ServingPlan, tokens: float, requests: float = 1, constants: ServingConstants = SERVING
) -> Interval:
    """Seconds until a request's first token, in an endpoint that answers so many at once, all of one length.

    A floor of the request's own, the steps of others that it waits for, the prompts of a few of them, and its prefill,
    in a step that decodes for the others too and so takes at least as long as theirs; GPUs without NVLink sum the
    hidden states of each of these over PCIe. The high end is that of requests that all arrive together, each waiting
    for the prompts of the others: loads with one length of answers stay in step.
    Left out: prompts that the engine has cached, which take less, and requests beyond those that fit, which wait for a
    whole answer.

    Args:
        plan: the endpoint.
        tokens: tokens per prompt.
        requests: number of concurrent requests, at most as many as fit.
        constants: fitted or assumed constants.

    Raises:
        NotKnownError: as for `prefill_seconds`.
    """
    served, others = constants.served, requests - 1
    busy = step_of(plan, tokens, requests).seconds(constants)
    read, chunks = _products(plan, tokens, 1, constants).expected, ceil(tokens / batched_tokens(plan))
    steps = served.waiting * others / requests
    waited = steps * busy + served.queueing * others * read
    expected = served.floor + waited + max(read, chunks * busy)
    error = served.error["first"]
    together = served.floor + waited + max(requests * read, chunks * busy)
    found = Interval(expected * error.low, expected, max(error.high * expected, together))
    queued = summed_over_pcie(plan, tokens) * others
    queued = Interval(queued.low * served.queueing, queued.expected * served.queueing, queued.high)
    return found + queued + summed_over_pcie(plan, tokens + others) + summed_over_pcie(plan, requests) * steps


def answering_seconds(
    plan: ServingPlan, prompt: float, answer: float, requests: float = 1, constants: ServingConstants = SERVING
) -> Interval:
    """Seconds to answer requests that arrive together: prefill of all prompts, then one step per token.

    In a continuous stream with this concurrency, each request takes as long, since all prompts are prefilled in that
    time.

    Args:
        plan: the endpoint.
        prompt: tokens per prompt.
        answer: tokens per answer; the cache holds half of them on average.
        requests: number of concurrent requests, at most as many as fit.
        constants: fitted or assumed constants.

    Raises:
        NotKnownError: as for `prefill_seconds` and `step_of`.
    """
    step = step_of(plan, prompt + answer / 2, requests).interval(constants)
    return prefill_seconds(plan, prompt, requests, constants) + step * answer + constants.served.floor


def token_seconds(
    plan: ServingPlan,
    prompt: float,
    answer: float,
    requests: float = 1,
    constants: ServingConstants = SERVING,
    *,
    cached: bool = False,
) -> Interval:
    """Seconds of each further token of a request while the endpoint reads the prompts of the others too.

    In the time of one answer each of the others brings one prompt, whose operations make some steps longer, and whose
    hidden states GPUs without NVLink sum too.

    Args:
        plan: the endpoint.
        prompt: tokens per prompt.
        answer: tokens per answer.
        requests: number of concurrent requests.
        constants: fitted or assumed constants.
        cached: whether the engine has cached the prompts, so that it reads none of them again.

    Raises:
        NotKnownError: as for `prefill_seconds` and `step_of`.
    """
    step = step_of(plan, prompt + answer / 2, requests)
    if requests <= 1 or cached:
        return step.interval(constants)
    least = prompt_seconds(plan, prompt, requests - 1) / answer
    read = least / reached_share(plan, constants)
    summed = summed_over_pcie(plan, prompt) * ((requests - 1) / answer)
    return step.interval(constants) + Interval(least / 2, read, read * constants.served.error["first"].high) + summed
