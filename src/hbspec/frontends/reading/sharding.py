"""FSDP as transformers, accelerate and axolotl spell it."""

from __future__ import annotations

from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import Foreign, ForeignKey

INSTANCE = "instance"
STRATEGIES = {"1": "full", "full_shard": "full", "2": "grad_op", "shard_grad_op": "grad_op", "3": "none"}
STRATEGIES |= {"no_shard": "none", "4": "hybrid", "hybrid_shard": "hybrid"}
"""By name and by number of torch's `ShardingStrategy`; "grad_op" keeps gathered weights between the passes."""


def put_fsdp(foreign: Foreign, building: Building, *, version: int) -> bool:
    """The keys `fsdp`, `fsdp_config` and `fsdp_version` of a file; whether they ask for FSDP.

    `version` is the framework's default.
    """
    words, said, config = foreign.get("fsdp"), foreign.get("fsdp_version"), foreign.inside("fsdp_config")
    if not (words and words.acts) and not config:
        return False
    asked = words if words and words.acts else foreign.peek("fsdp_config")
    building.put((INSTANCE, "parallelism"), asked, "fsdp")
    if words and words.acts:
        _from_words(words, building)
    put_fsdp_config(config, building, version=version, said=said)
    return True


def put_fsdp_config(config: Foreign, building: Building, *, version: int, said: ForeignKey | None = None) -> None:
    """The keys of `fsdp_config`, with and without the prefix `fsdp_`."""
    given = said or config.get("fsdp_version", "version")
    building.put((INSTANCE, "fsdp_version"), given, given and given.number and int(given.number))
    building.default((INSTANCE, "fsdp_version"), version, f"{building.program}'s default for FSDP")
    offload = config.get("offload_params", "fsdp_offload_params", "cpu_offload")
    if offload and offload.flag:
        building.put((INSTANCE, "offload"), offload, "all")
    strategy = config.get("sharding_strategy", "fsdp_sharding_strategy")
    if strategy:
        _put_strategy(strategy, building)
    reshards = config.get("reshard_after_forward", "fsdp_reshard_after_forward")
    if reshards and reshards.text.casefold() in STRATEGIES:
        _put_strategy(reshards, building)
    elif reshards:
        building.put((INSTANCE, "reshard_after_forward"), reshards, reshards.flag)
    recomputes = config.get("activation_checkpointing", "fsdp_activation_checkpointing")
    if recomputes and recomputes.flag:
        building.put(("hyperparameters", "gradient_checkpointing"), recomputes, True)
        building.put(("hyperparameters", "use_reentrant"), recomputes, False)


def _from_words(words: ForeignKey, building: Building) -> None:
    """`fsdp: full_shard offload auto_wrap`."""
    for word in words.texts:
        if word.casefold() == "offload":
            building.put((INSTANCE, "offload"), words, "all")
        elif word.casefold() in STRATEGIES:
            _put_strategy(words, building, word)


def _put_strategy(given: ForeignKey, building: Building, word: str | None = None) -> None:
    strategy = STRATEGIES.get((word or given.text).casefold())
    if strategy == "grad_op":
        building.put((INSTANCE, "reshard_after_forward"), given, False)
    elif strategy:
        building.put((INSTANCE, "sharding"), given, strategy)
