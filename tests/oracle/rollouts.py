"""TRL's own scoring of completions and its step over them, traced, and the generation of transformers before them."""

from __future__ import annotations

import contextlib
from collections import defaultdict, deque
from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
import trl
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from transformers import GenerationConfig, masking_utils
from transformers.generation.utils import GenerationMixin

from oracle.build import build
from oracle.case import Case
from oracle.objectives import _read
from oracle.optimizers import make_states, optimizer_of
from oracle.step import MAX_NORM, hold_gradients, hold_weights, on_cuda
from oracle.tracer import Trace

PROMPT = 1
"""Tokens of each prompt: all others are those of completions, which the estimate takes all tokens for."""


def rollouts_peaks(case: Case, *, beta: float, steps: int, old: bool) -> tuple[int, int]:
    """Bytes that are alive at most while completions are scored, and in the step over a micro-batch of them.

    Args:
        case: what is trained; its batch is that of a micro-batch.
        beta: of the loss.
        steps: micro-batches that are scored together.
        old: whether the log probabilities of the model that generated are computed.
    """
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    model = build(case, fake, outputs=("log_probs", "entropy"))
    trace = Trace({})
    hold_weights(trace, model)
    reference = build(case, fake, outputs=("log_probs",)).eval() if beta and not case.adapters else None
    if reference is not None:
        hold_weights(trace, reference)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = optimizer_of(case, model)
    trainer = _trainer(case, model, reference, beta=beta, steps=steps, old=old)
    with fake, on_cuda(trace, case), _read(trace), _listed(), trace:
        make_states(trace, optimizer, trained)
        trace.peaks.clear()
        trace.phase = "scoring"
        made = trainer._generate_and_score_completions([{"prompt": ""}] * (steps * case.batch))
        made = trl.trainer.utils.shuffle_sequence_dict(made)
        batch, *_waiting = trl.trainer.utils.split_tensor_dict(made, steps)
        del made
        trace.phase = "step"
        trace.peaks.pop("step", None)
        trainer.compute_loss(model, batch).backward()
        hold_gradients(trace, trained)
        torch.nn.utils.clip_grad_norm_(trained, MAX_NORM, foreach=True)
        optimizer.step()
        optimizer.zero_grad()
    return trace.peaks["scoring"][0], trace.peaks["step"][0]


def generation_peak(case: Case, rows: int, prompt: int, completion: int) -> int:
    """Bytes that are alive at most while completions are generated, as GRPOTrainer asks for it; no optimizer's states.

    Args:
        case: what is trained.
        rows: completions that are generated together.
        prompt: tokens of each prompt.
        completion: tokens of each completion.
    """
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    model = build(case, fake)
    model.gradient_checkpointing_disable()
    trace, made = Trace({}), count()
    hold_weights(trace, model)
    asked = {"max_new_tokens": completion, "do_sample": True, "temperature": 0.9, "top_k": 0, "eos_token_id": [2]}
    config = GenerationConfig(**asked, pad_token_id=0, disable_compile=True)
    # what reads numbers: whether a row goes on, and whether the mask hides a token, as prompts of several lengths do
    goes_on = patch.object(GenerationMixin, "_has_unfinished_sequences", lambda *_, **__: next(made) < completion)
    masked = patch.object(masking_utils, "_ignore_causal_mask_sdpa", lambda *_, **__: False)
    with fake, on_cuda(trace, case), _read(trace), goes_on, masked, trace, torch.no_grad():
        inputs = {"input_ids": torch.ones(rows, prompt, dtype=torch.int64)}
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        for tensor in inputs.values():
            trace.hold(tensor, "inputs")
        trace.peaks.clear()
        trace.phase = "generation"
        made_rows = model.generate(**inputs, generation_config=config)
    assert made_rows.shape == (rows, prompt + completion)
    return trace.peaks["generation"][0]


def _trainer(case: Case, model: nn.Module, reference: nn.Module | None, *, beta: float, steps: int, old: bool) -> Any:
    """A trainer as its `__init__` leaves it, that has generated already."""
    made = trl.GRPOTrainer.__new__(trl.GRPOTrainer)
    accelerator = SimpleNamespace(
        device=torch.device("cpu"),
        autocast=contextlib.nullcontext,
        gather=lambda given: given,
        reduce=lambda given, **_: given,
        unwrap_model=lambda given: given,
        process_index=0,
        num_processes=1,
        sync_gradients=True,
        is_main_process=True,
    )
    args = SimpleNamespace(
        per_device_train_batch_size=case.batch,
        steps_per_generation=steps,
        gradient_accumulation_steps=steps + old,
        gradient_checkpointing_kwargs={"use_reentrant": case.use_reentrant},
        delta=None,
        use_bias_correction_kl=True,
        report_to=[],
    )
    said: dict[str, Any] = {
        "model": model, "ref_model": reference, "accelerator": accelerator, "args": args, "beta": beta,
        "loss_type": "dapo", "epsilon_low": 0.2, "epsilon_high": 0.2, "num_iterations": 1,
        "importance_sampling_level": "token", "off_policy_mask_threshold": None, "top_entropy_quantile": 1.0,
        "_entropy_bonus_enabled": False, "aux_loss_enabled": False, "use_vllm": False,
        "vllm_importance_sampling_correction": True, "environment_factories": None, "tools": None,
        "environments": None, "_is_vlm": False, "_tokenizer": SimpleNamespace(pad_token_id=0),
        "pad_to_multiple_of": None, "mask_truncated_completions": False, "num_generations": case.batch,
        "multi_objective_aggregation": "sum_then_normalize", "scale_rewards": "group",
        "reward_weights": torch.ones(1), "reward_func_names": [], "reward_funcs": [None], "log_multimodal": False,
        "_metrics": {"train": defaultdict(list), "eval": defaultdict(list)}, "_pending_extra_logs": {},
        "_pending_metrics": {}, "_logs": defaultdict(lambda: deque(maxlen=1)),
        "current_gradient_accumulation_steps": steps, "max_completion_length": case.tokens - PROMPT,
        "state": SimpleNamespace(global_step=0),
        "_generate": lambda prompts: _generated(case, len(prompts)),
        "_calculate_rewards": lambda *_: torch.zeros(steps * case.batch, 1),
    }  # fmt: skip
    for name, value in said.items():
        object.__setattr__(made, name, value)
    return made


def _generated(case: Case, rows: int) -> tuple[Any, ...]:
    """What `_generate` gives: ids of prompts and completions, and nothing beside them."""
    prompts, completions = [[1] * PROMPT] * rows, [[1] * (case.tokens - PROMPT)] * rows
    return prompts, completions, None, [""] * rows, None, {}, None, None


@contextlib.contextmanager
def _listed() -> Iterator[None]:
    """Logs list the numbers of tensors; a fake has none."""
    listed = Tensor.tolist

    def tolist(x: Tensor) -> Any:
        return [0.0] * x.numel() if isinstance(x, FakeTensor) else listed(x)

    with patch.object(Tensor, "tolist", tolist):
        yield
