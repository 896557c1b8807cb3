"""A row of the CSV as a plan: which spec says what ran. By mechanism only; no row is known by its id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from pydantic import ValidationError

from hbspec.catalog import Architecture, catalog
from hbspec.diagnostics import NotKnownError
from hbspec.plan import Plan, build_plan
from hbspec.spec import Spec
from measured.frameworks import Framework, framework_of
from measured.models import NoArchitectureError, architecture_of
from measured.placement import instance
from measured.reason import NotExpressibleError
from measured.row import Row
from measured.spelling import attention, loss, optimizer, targets

FOAK = "fms-acceleration's fused norms and rotations as the model's own"

DEVIATION = re.compile(r"token stats (\d+) ?\+-? ?(\d+)")
"""Mean and standard deviation of the lengths, before what exceeds the cap is dropped."""


@dataclass(frozen=True, slots=True)
class Case:
    """A row and the plan that describes it.

    Attributes:
        plan: with everything that the row leaves open as the framework has it by default.
        others: the plans that would be as right by what the row says, where it leaves open what memory depends on.
        stand_ins: what was described by something near it, in words.
        values: the spec of `plan`, as YAML would give it.
        same_memory: whether what stands in for the model needs the same memory, and not only the same time.
    """

    row: Row
    plan: Plan
    others: tuple[Plan, ...]
    stand_ins: tuple[str, ...]
    values: dict[str, Any]
    same_memory: bool

    def with_values(self, **sections: dict[str, Any]) -> Plan:
        """The plan with some sections of the spec replaced.

        Raises:
            NotExpressibleError: the spec does not allow it.
        """
        return planned({**self.values, **sections}, self.plan.architecture)

    @property
    def disagrees(self) -> str | None:
        """Where the number of trained parameters is not the one that the source prints; None where nothing is."""
        stated, counted = self.row.stated_trainable(), self.plan.trainable_parameters
        if stated is None or counted is None or abs(counted / stated - 1) < 0.01:
            return None
        return f"{self.row['id']}: {counted:,} trained parameters counted, {stated:,.0f} stated"


def express(row: Row) -> Case:
    """The plan of a row.

    Raises:
        NotExpressibleError: with the reason.
    """
    framework = framework_of(row)
    try:
        found = architecture_of(row["model_id"], (row.number("params_b") or 0) * 1e9 or None)
        architecture = found.architecture
        stand_ins = [found.stand_in] if found.stand_in else []
        method = _method(row, framework, stand_ins)
        stand_ins += _unsaid(row, framework, architecture)
        values = {
            "hbspec": 1,
            "name": "measured",
            "model": {"id": row["model_id"]},
            "script": {"entry_point": "train.py"},
            "data": {"train": {"examples": 10_000}, **_tokens(row, framework)},
            "instance": instance(row),
            "software": _software(row, framework, method),
            "hyperparameters": _hyperparameters(row, framework, method, architecture),
        }
        plan = planned(values, architecture)
        others = tuple(planned(other, architecture) for other in _others(row, framework, values))
    except (NoArchitectureError, NotKnownError) as reason:
        raise NotExpressibleError(str(reason)) from reason
    unknown = next((why for what, why in plan.unknown.items() if what in ("hardware", "trainable_parameters")), None)
    if unknown:
        raise NotExpressibleError(f"not known: {unknown}")
    return Case(row, plan, others, tuple(stand_ins), values, not found.stand_in)


def planned(values: dict[str, Any], architecture: Architecture | None) -> Plan:
    """The plan of a spec.

    Raises:
        NotExpressibleError: the spec does not allow it.
    """
    try:
        return build_plan(Spec.model_validate(values), catalog(), architecture, None)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        raise NotExpressibleError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from invalid


def _others(row: Row, framework: Framework, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same spec with another optimizer, kernel, checkpointing or offload, where the row does not say which.

    A version of transformers is that of the time, so that it decides between kernels only before it had two.
    """
    given = values["hyperparameters"]
    if framework.cell(row, "attention") == "" and given["attn_implementation"] != "eager":
        yield {**values, "hyperparameters": {**given, "attn_implementation": "eager"}}
    if row["optimizer"] in ("", "?"):
        given = {**given, "optim": "adamw_torch_fused"}
        yield {**values, "hyperparameters": given}
    if _checkpointing(row, framework, given) == "":
        given = {**given, "gradient_checkpointing": True}
        yield {**values, "hyperparameters": given}
    if "not read" in row["parallelism"]:
        yield {**values, "hyperparameters": given, "instance": {**values["instance"], "offload": "all"}}


def _method(row: Row, framework: Framework, stand_ins: list[str]) -> dict[str, Any]:
    """Method and quantisation, as keys of `hyperparameters`."""
    name, stored = row["method"].lower(), row["quant"].lower()
    text = f"{row['framework']} {row['source_title']}".lower()
    if framework.unlike_sharded and "fsdp" in row["parallelism"].lower() and name != "full":
        raise NotExpressibleError(framework.unlike_sharded)
    objective = re.search(r"objective=(?!SFT\b)(\w+)", row["notes"])
    if objective:
        raise NotExpressibleError(f"objective {objective[1]}")
    if "unsloth" in text:
        raise NotExpressibleError("Unsloth: checkpoints are offloaded to the host while they wait")
    if re.match(r"full\b(?!.*galore)", name):
        method: dict[str, Any] = {"method": "full"}
    elif re.match(r"q?(rs|qa)?lora\b(?!\+nf4)|q?dora\b", name):
        method = {"method": "lora", **({"use_dora": True} if "dora" in name else {})}
    else:
        raise NotExpressibleError(f"method {row['method'] or 'not named'}")
    if re.search(r"int8|8.?bit", stored):
        return {**method, "method": "qlora", "bnb_quant_type": "int8"}
    if re.search(r"nf4|fp4", stored):
        kind = "fp4" if "fp4" in stored else "nf4"
        double = bool(re.search(r"dq|double", stored)) or framework.double_quant
        return {**method, "method": "qlora", "bnb_quant_type": kind, "bnb_double_quant": double}
    if re.search(r"gptq|awq", stored):
        stand_ins.append("4 bits in groups of 128 (0.5195 bytes a weight) as double-quantised nf4 (0.5159)")
        return {**method, "method": "qlora", "bnb_quant_type": "nf4", "bnb_double_quant": True}
    if stored not in ("", "none", "no", "?", "-"):
        raise NotExpressibleError(f"weights stored as {row['quant']}")
    if name.startswith("q"):
        return {**method, "method": "qlora", "bnb_quant_type": "nf4", "bnb_double_quant": framework.double_quant}
    return method


def _precision(row: Row, framework: Framework) -> tuple[str, str | None, bool]:
    """The compute dtype, the dtype that weights are said to have, and whether steps run under autocast."""
    text = framework.cell(row, "compute_dtype").lower()
    by_storage = re.search(r";? ?\bfp16 for gptq", text)
    if by_storage:
        text = "fp16" if "gptq" in row["quant"].lower() else text.replace(by_storage[0], "")
    if "fp8" in text or "float8" in text:
        raise NotExpressibleError("computes in fp8")
    storage, _, computing = text.rpartition("/")
    half = "float16" if re.search(r"fp16|(?<!b)float16", computing) else "bfloat16"
    full = re.search(r"\b(fp32|float32|32-true)\b", computing) and not re.search(r"params|adapter", computing)
    compute = "float32" if full else half
    said = None
    if storage:
        said = "bfloat16" if "bf" in storage else "float16"
    elif re.search(r"fp32 (params|master|weights)", text):
        said = "float32"
    autocast = framework.autocast
    if re.search(r"pure|true|no amp", text):
        autocast = False
    elif "amp" in text or ("mixed" in text and not framework.casts_units):
        autocast = True
    return compute, said, autocast and compute != "float32"


def _software(row: Row, framework: Framework, method: dict[str, Any]) -> dict[str, Any]:
    compute, said, autocast = _precision(row, framework)
    if method["method"] == "qlora":
        sharded = "fsdp" in row["parallelism"].lower()  # trl leaves the k-bit preparation out then: `is_sharded_qlora`
        weights = compute if framework.kept == "compute" or sharded else "float32"
    elif method["method"] == "full":
        weights = compute if framework.trained == "compute" else "float32"
        if autocast and "fsdp" in row["parallelism"]:
            weights = "float32"  # accelerate upcasts what FSDP trains under mixed precision (0.26, `prepare_model`)
    else:
        weights = compute
    narrow = framework.adapters == "compute" or (framework.adapters == "quantised" and method["method"] == "qlora")
    return {
        "trainer": framework.trainer,
        "transformers": framework.transformers_of(row),
        "bitsandbytes": framework.bitsandbytes,
        "weights_dtype": said or weights,
        "adapter_dtype": compute if narrow else "float32",
        "autocast": autocast,
    }


def _tokens(row: Row, framework: Framework) -> dict[str, Any]:
    """Token lengths; none where they vary and the longest is not stated, since the cap says no more than the cap."""
    length = _whole(row, framework, "seq_len", "sequence length")
    spread = DEVIATION.search(row["notes"])
    if row.lengths_vary and spread:
        return {"tokens": {"mean": _mean_below(length, float(spread[1]), float(spread[2])), "max": length}}
    if re.search(r"variable.?length", row["notes"], re.IGNORECASE) and "longest" not in row["notes"].lower():
        return {}
    mean = length - 1 if framework.padded and length > 1 else length  # any difference means a mask
    return {"tokens": {"mean": float(mean), "max": length}}


def _mean_below(cap: int, mean: float, deviation: float) -> float:
    """The mean of a normal distribution of lengths without what is below one token or above the cap."""
    lengths = NormalDist(mean, deviation)
    shares = [(length, lengths.pdf(length)) for length in range(1, cap + 1)]
    return sum(length * share for length, share in shares) / sum(share for _, share in shares)


def _whole(row: Row, framework: Framework, column: str, what: str) -> int:
    stated = row.whole(column) if row[column] not in ("", "?") else int(framework.defaults.get(column, "0"))
    if not stated or stated < 1:
        raise NotExpressibleError(f"the {what} is not stated")
    return stated


def _checkpointing(row: Row, framework: Framework, method: dict[str, Any]) -> str:
    """The cell on checkpointing; where it is open, what peft's `prepare_model_for_kbit_training` turns on; else ""."""
    said = framework.cell(row, "gradient_checkpointing").lower().replace("?", "")
    prepared = method["method"] == "qlora" and framework.kept == "float32"
    return said or ("y" if prepared else "")


def _hyperparameters(
    row: Row, framework: Framework, method: dict[str, Any], architecture: Architecture
) -> dict[str, Any]:
    compute, _, _ = _precision(row, framework)
    checkpointing = _checkpointing(row, framework, method)
    if "selective" in checkpointing:
        raise NotExpressibleError("selective activation checkpointing")
    values: dict[str, Any] = {
        "learning_rate": 1e-4,
        "max_steps": 100,
        "per_device_batch_size": _whole(row, framework, "micro_batch", "micro-batch"),
        "gradient_accumulation_steps": row.whole("grad_accum") or int(framework.defaults.get("grad_accum", "1")),
        "max_length": _whole(row, framework, "seq_len", "sequence length"),
        "bf16": compute == "bfloat16",
        "fp16": compute == "float16",
        "gradient_checkpointing": checkpointing.startswith(("y", "true", "full")),
        "attn_implementation": attention(framework.cell(row, "attention"), framework.transformers_of(row)),
        "loss": loss(row["fused_ce"], framework),
        "optim": optimizer(row["optimizer"]),
        **method,
    }
    if framework.reentrant_sharded is not None and "fsdp" in row["parallelism"].lower():
        values["use_reentrant"] = framework.reentrant_sharded
    if method["method"] != "full":
        values |= {
            "lora_r": _whole(row, framework, "lora_r", "adapter rank"),
            "lora_dropout": framework.dropout,
            "target_modules": targets(row["lora_targets"], framework, architecture).chosen,
        }
        if "embedding" in row["lora_targets"] or "embed_tokens" in row["lora_targets"]:
            values["modules_to_save"] = ["embed_tokens", "lm_head"]
    return values


def _unsaid(row: Row, framework: Framework, architecture: Architecture) -> list[str]:
    """What the spec has no word for, and what it is described by instead."""
    said = []
    if "foak" in row["fused_ce"].lower():
        said.append(FOAK)
    if row["method"].lower() not in ("full", "") and row["lora_targets"]:
        absent = targets(row["lora_targets"], framework, architecture).absent
        said += [f"adapters on {name}, which the model does not have, left out" for name in absent]
    if row.lengths_vary and DEVIATION.search(row["notes"]):
        said.append("lengths of a stated mean and deviation as a normal distribution without what exceeds the cap")
    return said
