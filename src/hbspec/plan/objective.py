"""What a training is for, as far as memory, time and counts depend on it: rows, a reference, passes beside the step's.

The reference of TRL 1.16.0 (`dpo_trainer.py`, `kto_trainer.py`, `__init__`): with adapters the same weights with the
adapters switched off, otherwise a second model in the dtype that the first was loaded in; none in the steps where its
log probabilities are computed before them. Where training goes on from adapters, these are copied, and the copy is
switched on instead. GRPO's is the same, and none at a `beta` of 0; its log probabilities belong to the completions, and
are computed as they come (`grpo_trainer.py`). Under FSDP the computation loads that model too, and frees it. A script
may give the trainer a second model beside adapters, which is then stored as the first one.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.plan.assumptions import Choices
from hbspec.plan.tasks import TASKS
from hbspec.spec import Spec
from hbspec.spec.choices import FRAMEWORKS

SWITCHED, COPIED, MODEL = "adapters switched off", "a copy of the adapters", "a second model"
"""What the reference is."""

TRL = "TRL 1.16.0 {}"
KL = "kto"
"""KTO's loss that estimates a divergence from mismatched answers, which takes a pass of its own."""


class Objective(NamedTuple):
    """The objective of a training.

    Attributes:
        task: its name.
        beta: how strongly the model is held to its reference; None where it is not.
        loss_type: TRL's name of the loss; "" where there is one only.
        rows: rows of a micro-batch for each of its examples: both answers of a pair.
        reference: `SWITCHED`, `COPIED` or `MODEL`, where steps or the scoring of rollouts compute one; "" otherwise.
        reference_dtype: dtype of a second model's weights; "" where it is stored as the first one.
        copies: whether the adapters that training began with are kept beside those that it trains.
        precomputes: the reference, where its log probabilities are computed before the steps; "" otherwise.
        forwards: forward passes of a micro-batch beside the step's own.
        forwards_before: forward passes over all examples before the steps.
    """

    task: str = "sft"
    beta: float | None = None
    loss_type: str = ""
    rows: int = 1
    reference: str = ""
    reference_dtype: str = ""
    copies: bool = False
    precomputes: str = ""
    forwards: int = 0
    forwards_before: int = 0

    @property
    def next_token(self) -> bool:
        """Whether tokens are predicted, and nothing beside that."""
        return TASKS[self.task].next_token

    @property
    def rewards(self) -> bool:
        """Whether the model's head gives one number a row."""
        return self.task == "reward"


NEXT_TOKEN = Objective()


def resolve_objective(spec: Spec, choices: Choices, *, adapters: bool, loaded: str) -> Objective:
    """The objective of a spec, with its defaults noted as assumptions.

    Args:
        spec: the typed spec.
        choices: is told what is assumed.
        adapters: whether adapters are trained.
        loaded: the dtype that weights are loaded in.
    """
    given, facts, task = spec.hyperparameters, TASKS[spec.task], spec.task
    if facts.next_token:
        return Objective(task)
    source = TRL.format(facts.trainer.replace("Trainer", "Config"))

    def take(name: str, usual: object) -> object:
        return choices.take(getattr(given, name), ("hyperparameters", name), usual, source)

    beta = None if facts.beta is None else float(str(take("beta", facts.beta)))
    loss_type = str(take("loss_type", facts.losses[0])) if facts.losses else ""
    rows = 2 if task in ("dpo", "reward") else 1
    started = adapters and spec.model.adapter is not None and spec.software.trainer not in FRAMEWORKS
    if task == "grpo" and beta:
        own = COPIED if started else SWITCHED
        kind, dtype = (own, "") if adapters else (MODEL, loaded)
        return Objective(task, beta, loss_type, rows, kind, dtype, copies=started)
    if task not in ("dpo", "kto"):
        return Objective(task, beta, loss_type, rows)
    early = bool(given.precompute_ref_log_probs)
    given_one = bool(given.ref_model) and spec.script is not None
    copies = started and not given_one
    own = COPIED if copies else SWITCHED
    kind, passes = own if adapters and not given_one else MODEL, 2 if loss_type == KL else 1
    return Objective(
        task=task,
        beta=beta,
        loss_type=loss_type,
        rows=rows,
        reference="" if early and not given_one else kind,
        reference_dtype="" if adapters else loaded,
        copies=copies,
        precomputes=kind if early else "",
        forwards=(passes - 1) + (0 if early else passes),
        forwards_before=passes if early else 0,
    )


def without_head(architecture: Architecture | None) -> Architecture | None:
    """The model as one that rewards: its output head is left out, and what takes its place is told elsewhere.

    Source: transformers 5.23.0, `modeling_layers.py`, `GenericForSequenceClassification`.
    """
    return architecture and architecture._replace(tie_word_embeddings=True)
