"""Recipes of SageMaker HyperPod (https://github.com/aws/sagemaker-hyperpod-recipes, commit 26319955).

`run.model_type` says which program trains: AWS's own for fine-tuning, verl's trainers, or the adapter of NeMo that ran
recipes named `hf_…`. Nothing of Hydra's is run: `${…}` is not filled in, and files under `defaults` are not opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from hbspec.frontends.known.hyperpod import fields
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.own_program import put_framework
from hbspec.frontends.recipes import llmft, nemo_adapter, verl
from hbspec.frontends.recipes.cluster import put_cluster
from hbspec.frontends.recipes.misshapen import name_what_is_misshapen

REFUSED = {
    "amazon.nova": "trains a model of Amazon Nova, whose size is not public",
    "hyperpod_checkpointless": "is trained by NeMo on Megatron",
    "neuron": "trains on Trainium",
    "mtrl": "is reinforcement learning",
    "ppo": "is reinforcement learning",
}
"""Beginnings of `run.model_type` that stand for a training which is not estimated."""
PARTS: tuple[tuple[str, Callable[[Foreign, Building], None]], ...] = (
    ("llm_finetuning", llmft.translate),
    ("verl", verl.translate),
    ("hf", nemo_adapter.translate),
)
"""By the beginning of `run.model_type`."""
OTHER_FILES = re.compile(r"megatron|grpo|ppo_|rollout|reward")
"""Names of files under `defaults` that stand for reinforcement learning, or for Megatron."""
ABOUT = ("display_name", "version", "recipe_version", "trainer_callbacks", "cluster_type", "scale_config")
ACTION = "measure the job itself; supervised tuning and DPO by the other recipes are estimated"


def translate(foreign: Foreign, building: Building) -> None:
    """The job of a recipe."""
    put_framework(building, "other")
    run = foreign.inside("run")
    kind = run.get("model_type")
    run.get("name", "results_dir", "time_limit", "hf_access_token")
    for name in ABOUT:
        foreign.get(name)
    refused = _refused(foreign, building, kind)
    put_cluster(foreign, building)
    _name_what_is_included(foreign, building)
    if refused:
        foreign.pass_over()
        return
    name_what_is_misshapen(foreign, building)
    _program(foreign, kind)(foreign, building)


def _program(foreign: Foreign, kind: ForeignKey | None) -> Callable[[Foreign, Building], None]:
    """What reads the recipe: by the type of the model, and where a file leaves it to another one, by the keys."""
    for name, reads in PARTS:
        if kind and kind.text.startswith(name):
            return reads
    if foreign.peek("exp_manager"):
        return nemo_adapter.translate
    inside = foreign.inside("training_config")
    return verl.translate if any(inside.peek(name) for name in verl.SECTIONS) else llmft.translate


def _refused(foreign: Foreign, building: Building, kind: ForeignKey | None) -> bool:
    """Whether the recipe is for a training that is not estimated, which is said at its key."""
    what = next((what for start, what in REFUSED.items() if kind and kind.text.startswith(start)), None)
    if kind and what:
        building.stop(kind, f"a recipe of {kind.text} {what}: it is not estimated", ACTION)
        return True
    inside = foreign.inside("training_config")
    acts = next((found for name in verl.OF_REINFORCEMENT if (found := inside.peek(name))), None)
    if acts:
        building.stop(acts, f"{acts.key} is a part of reinforcement learning, which is not estimated", ACTION)
        return True
    included = foreign.peek("defaults")
    if included and (named := OTHER_FILES.search(included.text)):
        building.stop(included, f"defaults names files of {named[0].rstrip('_')}, which is not estimated", ACTION)
        return True
    target = inside.inside("engine").peek("_target_")
    if target and "Mcore" in target.text:
        building.stop(target, "verl's Megatron engine is not estimated", ACTION)
        return True
    if not any(foreign.peek(name) for name in ("training_config", "model", "exp_manager")):
        given = kind or foreign.peek("run")
        if given:
            building.stop(given, "the recipe trains nothing that is estimated", "name the recipe of a training")
            return True
    return False


def _name_what_is_included(foreign: Foreign, building: Building) -> None:
    """Hydra's `defaults`: other files, whose values the recipe takes."""
    given = foreign.get("defaults")
    others = [name for name in given.value if name != "_self_"] if given and isinstance(given.value, list) else []
    if given and others:
        number = "a file that is" if len(others) == 1 else f"{len(others)} files that are"
        building.unread(given, "either", f"takes values of {number} not read")


FRONT = FrontEnd("HyperPod", translate, fields)
