"""Files of torchtune's recipes that train something else than the next token of a text, or nothing."""

from __future__ import annotations

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey

OTHERS = {
    "knowledge distillation": ("kd_loss", "teacher_model", "teacher_checkpointer"),
    "PPO": ("policy_model", "reward_and_value_model", "ppo_epochs", "ppo_batch_size"),
    "GRPO": ("grpo_samples", "reward_functions", "orchestration", "postprocessing"),
}
"""By what is trained, keys that only its recipes have (`recipes/`, `recipes/dev`)."""
WITH_IMAGES = ("llama3_2_vision", "llama4", "clip", "flux")
"""Packages of models that take images, too (`torchtune/models`)."""
ACTION = "measure the job itself; supervised tuning by the full and LoRA recipes is estimated"


def component(given: Foreign) -> ForeignKey | None:
    """The key `_component_` of a mapping, which names what is made of it."""
    return given.get("_component_")


def refused(foreign: Foreign, building: Building) -> bool:
    """Whether the file is for a training that is not estimated, or for none, which is said at its key."""
    for what, keys in OTHERS.items():
        acts = next((found for key in keys if (found := foreign.peek(key))), None)
        if acts:
            building.stop(acts, f"{acts.key} is a part of {what}, which is not estimated", ACTION)
            return True
    kind = component(foreign.inside("model"))
    if kind and any(f".{name}." in f".{kind.text}." for name in WITH_IMAGES):
        building.stop(kind, f"{kind.text} is a model of images and text, whose training is not estimated", ACTION)
        return True
    loss = component(foreign.inside("loss"))
    if loss and loss.text.startswith("torchtune.rlhf.loss.") and not loss.text.endswith(".DPOLoss"):
        building.stop(loss, f"{loss.text} is a loss of a training that is not estimated", ACTION)
        return True
    if not any(foreign.peek(key) for key in ("optimizer", "dataset", "loss", "epochs")):
        given = next((found for key in ("model", "checkpointer", "tokenizer") if (found := foreign.peek(key))), None)
        if given:
            message = "a file of torchtune without optimizer, dataset and loss trains nothing"
            building.stop(given, message, "name the file of a training")
            return True
    return False
