"""What every choice of the training comes to, and what follows from the choices together."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from hbspec.plan.attention import KERNELS
from hbspec.plan.counts import updates_between
from hbspec.plan.epochs import (
    LOSS_FUSED,
    ROWS_JOINED,
    Epoch,
)
from hbspec.plan.images import Images
from hbspec.plan.objective import NEXT_TOKEN, Objective

if TYPE_CHECKING:
    from hbspec.plan.rollouts import Rollouts

COPYING = "in_place_shifted"
"""A loss in place on a shifted copy that it makes itself (fms-acceleration-foak 0.7.4, `FastForCausalLMLoss`)."""

IN_PLACE = ("in_place", COPYING)
"""Losses that write the gradient over the logits that they are given."""


OWN_LOOPS = ("litgpt", "loop")
"""Trainers outside transformers and TRL, in which nothing of accelerate runs the model."""


class Training(NamedTuple):
    """Resolved hyperparameters and their effects in the trainer.

    Attributes:
        compute_dtype: "bfloat16", "float16" or "float32".
        adapter_dtype: dtype of adapters, their gradients and (with torch's AdamW) their optimizer states. The shipped
            script trains adapters of a quantised model in bfloat16, as TRL casts them; LitGPT makes them in the dtype
            of the weights; elsewhere peft keeps float32.
        weights_dtype: dtype of unquantised weights. `peft.prepare_model_for_kbit_training`, which belongs to QLoRA
            under a plain Trainer, converts 16-bit weights to float32; TRL 1.16 and LitGPT never do. Training all
            weights in float16 needs float32 weights, since the gradient scaler refuses float16 gradients; and
            accelerate upcasts weights that FSDP trains in mixed precision (1.15.0, `prepare_model` and
            `fsdp2_prepare_model`).
        packing_strategy: how TRL packs; None without packing, and where the trainer has no strategies.
        use_reentrant: whether checkpointing is reentrant, which computes whole layers again and stops nowhere early.
        autocast: whether the trainer runs the step under torch's autocast, as TRL and the plain Trainer do for `bf16`
            and `fp16`.
        warmup_steps, eval_steps, save_steps: updates; shares below 1 remain only where the updates are not known.
        saves_per_epoch, evals_per_epoch: how often in an epoch, where that says it; `save_steps` and `eval_steps` then
            follow from the updates of an epoch, and are None where these are not known.
        target_layers: indices of the layers that get adapters; empty for all. Memory counts adapters in every layer.
        untargeted: why the target modules are not counted; empty where they are.
        optimizer_in_bwd: whether each weight is updated in the backward pass, and its gradient freed.
        framework: the training framework whose defaults these are; None for the shipped script and the author's.
        capped: whether examples are cut; otherwise `max_length` is the longest row that there can be.
        loss: "standard" holds all logits at once, and their gradient beside them; those of `IN_PLACE` write it over
            them; "chunked" and "fused" never hold all.
        eval_batch: examples of an evaluation's micro-batch; None where nothing is evaluated.
        eval_packing: whether rows of an evaluation are packed, as they are in TRL unless the script says otherwise.
        sync_each_batch: whether gradients are reduced after every micro-batch. A loop under FSDP is taken to do so: it
            does unless it calls `no_sync`.
        liger: whether Liger's kernels run (`use_liger_kernel`).
        activation_offloading: whether what is saved for the backward pass goes to the host, as TRL's trainers do it.
        quantize_experts: whether fused experts are quantised as linear modules are.
        balances: whether the loss that balances experts is added, for which the logits of all routers are held.
        objective: what is trained for, with the reference that it is compared with.
        rollouts: how the rows that are trained on are generated; None where they are given.
        images: what is known of the images of the examples; None where these are text alone.
    """

    method: str
    trainer: str
    compute_dtype: str
    adapter_dtype: str
    weights_dtype: str
    autocast: bool
    quantization: str | None
    double_quant: bool
    quant_storage: str
    lora_r: int
    lora_alpha: float
    lora_dropout: float
    target_modules: str | tuple[str, ...]
    modules_to_save: tuple[str, ...]
    use_dora: bool
    optim: str
    gradient_checkpointing: bool
    use_reentrant: bool
    attention: str
    loss: str
    liger: bool
    activation_offloading: bool
    max_length: int
    packing: bool
    packing_strategy: str | None
    micro_batch: int
    gradient_accumulation: int
    sync_each_batch: bool
    max_steps: int | None
    epochs: float
    warmup_steps: float | None
    warmup_ratio: float | None
    eval_batch: int | None
    eval_packing: bool
    eval_steps: float | None
    save_steps: float | None
    saves_per_epoch: int | None
    evals_per_epoch: int | None
    target_layers: tuple[int, ...]
    untargeted: str
    optimizer_in_bwd: bool
    framework: str | None
    capped: bool
    software: tuple[tuple[str, str], ...]
    quantize_experts: bool = False
    balances: bool = False
    objective: Objective = NEXT_TOKEN
    rollouts: Rollouts | None = None
    images: Images | None = None

    @property
    def adapters(self) -> bool:
        """Whether adapters are trained and the base model is frozen."""
        return self.method != "full"

    @property
    def rows(self) -> int:
        """Rows of a micro-batch: its examples, or both answers of each pair."""
        return self.micro_batch * self.objective.rows

    @property
    def padded_together(self) -> int:
        """Rows that are padded to one length: a micro-batch, or all that a process generates together.

        Source: TRL 1.16.0, `grpo_trainer.py`, `_generate_and_score_completions`; `trainer/utils.py`,
        `split_tensor_dict`.
        """
        return self.rows if self.rollouts is None else self.rollouts.rows(self.micro_batch)

    @property
    def leaves_out(self) -> bool:
        """Whether a pair with a text that is longer than `max_length` is left out, since the score is read at its end.

        Source: TRL 1.16.0, `reward_trainer.py`, `_prepare_dataset`; other frameworks cut texts (LLaMA-Factory 0.9.4,
        `data/processor/pairwise.py`; axolotl 0.13, `prompt_strategies/bradley_terry/chat_template.py`).
        """
        return self.objective.rewards and self.framework is None

    @property
    def own_loop(self) -> bool:
        """Whether no trainer of transformers or TRL runs the steps."""
        return self.trainer in OWN_LOOPS

    @property
    def kernel(self) -> str:
        """The attention kernel that `attention` is counted as: "eager", "sdpa" or "flash_attention_2"."""
        return KERNELS[self.attention]

    @property
    def whole_logits(self) -> bool:
        """Whether all logits are held at once, or as much of every token as they are."""
        return self.loss == "standard" or self.loss in IN_PLACE or self.in_parts

    @property
    def in_parts(self) -> bool:
        """Whether the loss is torchtune's, which makes logits in parts and holds the logarithms of all of them."""
        return self.loss == "chunked" and self.framework == "torchtune"

    @property
    def liger_head(self) -> bool:
        """Whether the head that never holds all logits is Liger's: TRL's own stays where it has one."""
        return self.liger and not self.whole_logits and not (self.trainer == "trl" and self.has(LOSS_FUSED))

    @property
    def updates_in_backward(self) -> bool:
        """Whether a weight's gradient is freed as soon as it has come; not where micro-batches add theirs up."""
        return self.optimizer_in_bwd and self.gradient_accumulation == 1

    @property
    def joined(self) -> bool:
        """Whether packed rows of a micro-batch become one row."""
        return self.packing and self.packing_strategy in ROWS_JOINED

    def has(self, epoch: Epoch) -> bool:
        """Whether the libraries that train are recent enough to have a change."""
        return epoch.is_in(dict(self.software))

    def over(self, updates: int | None, of_an_epoch: int | None = None) -> Training:
        """The training with shares of the updates, and counts per epoch, resolved to updates where they are known.

        Args:
            updates: of the whole run.
            of_an_epoch: of each epoch. Two checkpoints per epoch of 7 updates are 4 updates apart, and the rest is
                saved at the end: axolotl's share of all updates, 1/(n x epochs), is rounded up to the same
                (`utils/config/__init__.py`), and transformers' `epoch` is one.
        """
        if of_an_epoch is not None:
            often = {"save_steps": self.saves_per_epoch, "eval_steps": self.evals_per_epoch}
            spaced: dict[str, Any] = {name: ceil(of_an_epoch / number) for name, number in often.items() if number}
            return self._replace(**spaced).over(updates)
        if not updates:
            return self
        asked = {name: getattr(self, name) for name in ("warmup_steps", "eval_steps", "save_steps")}
        resolved: dict[str, Any] = {name: updates_between(of, updates) for name, of in asked.items() if of is not None}
        return self._replace(**resolved)
