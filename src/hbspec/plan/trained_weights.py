"""Which weights are trained: all, some of them, adapters, and the embedding of tokens that were added."""

from __future__ import annotations

from hbspec.catalog import Architecture
from hbspec.catalog.adapters import lora_parameters, saved_parameters
from hbspec.catalog.parameters import language_parameters
from hbspec.catalog.roles import TargetError
from hbspec.catalog.target_patterns import unfrozen
from hbspec.diagnostics import Missing, NotKnownError
from hbspec.plan.training import Training
from hbspec.spec import Spec


def grown(architecture: Architecture | None, spec: Spec, unknown: dict[str, Missing]) -> Architecture | None:
    """The architecture with the tokens that are added; None where that of a recorded model would have to grow.

    The embedding is as long as the vocabulary and the tokens (transformers, `resize_token_embeddings` without
    `pad_to_multiple_of`).
    """
    added = spec.model.added_tokens
    if architecture is None or added is None:
        return architecture
    if architecture.recorded is not None:
        said = "how the vocabulary of a recorded model grows"
        unknown["architecture"] = Missing(said, ("model", "added_tokens"))
        return None
    return architecture._replace(vocab_size=architecture.vocab_size + added)


def trainable(architecture: Architecture, spec: Spec, training: Training, unknown: dict[str, Missing]) -> int | None:
    """Parameters that are trained; None where that is not counted, with the reason in `unknown`.

    A head that rewards is one vector, which peft trains whole beside adapters (`TaskType.SEQ_CLS`).
    """
    head = architecture.hidden_size if training.objective.rewards else 0
    saved = spec.hyperparameters.modules_to_save or training.modules_to_save  # as written, which peft may refuse
    patterns = spec.hyperparameters.unfrozen_parameters
    key = "target_modules" if training.adapters else "unfrozen_parameters"
    try:
        if training.untargeted:
            raise TargetError(training.untargeted)
        if not training.adapters:
            return head + (unfrozen(architecture, patterns) if patterns else language_parameters(architecture))
        found = lora_parameters(
            architecture,
            training.lora_r,
            training.target_modules,
            use_dora=training.use_dora,
            modules_to_save=saved,
        )
        if not training.target_layers:
            return head + found
        whole, adapted = saved_parameters(architecture, training.target_modules, saved), set(training.target_layers)
        return head + whole + (found - whole) * len(adapted) // architecture.num_hidden_layers  # they are alike
    except (ValueError, NotKnownError) as reason:
        unknown["trainable_parameters"] = Missing(str(reason), ("hyperparameters", key))
        return None
