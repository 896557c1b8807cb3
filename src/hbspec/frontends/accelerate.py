"""accelerate's configuration file (`accelerate launch --config_file`): how the GPUs share the work of another file.

Sources are files of accelerate 1.15.0 (https://github.com/huggingface/accelerate, src/accelerate).
"""

from __future__ import annotations

from hbspec.frontends.known.accelerate import fields
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.deepspeed import put_deepspeed
from hbspec.frontends.reading.foreign import Foreign, ForeignKey
from hbspec.frontends.reading.front import FrontEnd
from hbspec.frontends.reading.sharding import put_fsdp_config

PARALLELISM, OFFLOAD = ("instance", "parallelism"), ("instance", "offload")
WAYS = {"MULTI_GPU": "ddp", "NO": "single"}


def translate(foreign: Foreign, building: Building) -> None:
    """How the GPUs share the work, and what is offloaded."""
    kind = foreign.get("distributed_type")
    deepspeed, fsdp = foreign.inside("deepspeed_config"), foreign.inside("fsdp_config")
    if kind and kind.text == "DEEPSPEED":
        _put_deepspeed(deepspeed, building, kind)
    elif kind and kind.text == "FSDP":
        building.put(PARALLELISM, kind, "fsdp")
        put_fsdp_config(fsdp, building, version=1)
    elif kind and kind.text in WAYS:
        building.put(PARALLELISM, kind, WAYS[kind.text])
    precision = foreign.get("mixed_precision")
    if precision and precision.text in ("bf16", "fp16"):
        building.put(("hyperparameters", precision.text), precision, True)


def _put_deepspeed(config: Foreign, building: Building, kind: ForeignKey) -> None:
    named = config.get("deepspeed_config_file")
    if named:
        put_deepspeed(building, named)
        return
    stage = config.get("zero_stage")
    level = int(stage.number) if stage and stage.number is not None else 2
    building.put(PARALLELISM, stage or kind, f"zero{level}" if level in (1, 2, 3) else "ddp")
    states, weights = config.get("offload_optimizer_device"), config.get("offload_param_device")
    if weights and weights.acts and level == 3 and states and states.acts:
        building.put(OFFLOAD, weights, "all")
    elif weights and weights.acts and level == 3:
        building.unread(weights, "less", "moves weights to the host")
    elif states and states.acts and level:
        building.put(OFFLOAD, states, "optimizer")


FRONT = FrontEnd("accelerate", translate, fields, part=True)
