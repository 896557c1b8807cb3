"""What a job needs of the versions of its libraries: by its model, its options, its libraries and its GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.catalog.versions import VersionNeed, version_needs
from hbspec.plan.epochs import numbers_of
from hbspec.plan.shipped_script import SOFTWARE

PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate")
PARTS = 3
"""Numbers of a version that are compared."""


class Needed(NamedTuple):
    """A need that the version in the job does not meet.

    Attributes:
        by: what needs it, in words: `qwen2`, `4-bit quantisation`, `trl 1.16.0`, `B200`.
        version: the version in the job.
    """

    need: VersionNeed
    by: str
    version: str


def older(version: str, than: str) -> bool:
    """Whether a version is older than another; False where it has no number.

    >>> older("4.36.2", "4.37"), older("4.37.0.dev0", "4.37"), older("1.10.0", "1.9")
    (True, False, False)
    """
    numbers = numbers_of(version, PARTS)
    return bool(numbers) and numbers < numbers_of(than, PARTS)


def versions_in(analysis: Analysis) -> Mapping[str, str]:
    """Versions by package, of the packages that the job uses: those stated, else those that the shipped script pins."""
    software, training = analysis.spec.software, analysis.plan.training
    trained_elsewhere = training.trainer == "litgpt"
    eight_bits = training.optim.startswith("paged_") or "8bit" in training.optim or "bnb" in training.optim
    unused = {
        "transformers": trained_elsewhere,
        "trl": training.trainer != "trl",
        "peft": trained_elsewhere or not training.adapters,
        "bitsandbytes": training.quantization is None and not eight_bits,
        "accelerate": training.own_loop,
    }
    pinned = SOFTWARE if analysis.spec.shipped else {}
    found = {name: getattr(software, name) or pinned.get(name) for name in PACKAGES if not unused.get(name)}
    return {name: version for name, version in found.items() if version}


def unmet(analysis: Analysis) -> Iterator[Needed]:
    """The needs that are not met, in the order of the table; what is not in the table is not judged.

    The versions that the shipped script pins go together: where none is stated, the table is not read.
    """
    if not any(getattr(analysis.spec.software, name) for name in PACKAGES):
        return
    versions = versions_in(analysis)
    names = {**_family(analysis), **_options(analysis), **_gpu(analysis)}
    for need in version_needs():
        by = names.get((need.kind, need.name))
        version = versions.get(need.package)
        if by is not None and version is not None and older(version, need.at_least):
            yield Needed(need, by, version)
    for name, version in versions.items():
        for need in _of_package(name, version):
            other = versions.get(need.package)
            if other is not None and older(other, need.at_least):
                yield Needed(need, f"{name} {version}", other)


def _of_package(name: str, version: str) -> list[VersionNeed]:
    """The needs of one version of a package: by package, those of the newest row that is not newer."""
    rows = [need for need in version_needs() if (need.kind, need.name) == ("package", name)]
    return list({need.package: need for need in rows if not older(version, need.since)}.values())


Names = Mapping[tuple[str, str], str]
"""What the job has that may need a version, by kind and name as in the table: what it is called."""


def _family(analysis: Analysis) -> Names:
    architecture = analysis.plan.architecture
    types = () if architecture is None else (architecture.model_type, architecture.wrapper)
    return {("family", name): f"a model of type {name}" for name in types if name}


def _gpu(analysis: Analysis) -> Names:
    hardware = analysis.plan.hardware
    gpu = hardware.gpu if hardware else None
    capability = gpu.compute_capability if gpu else None
    return {("gpu", str(capability[0])): gpu.name} if gpu and capability else {}


def _options(analysis: Analysis) -> Names:
    """Options that the author set, and those that the shipped script takes by itself."""
    given, plan = analysis.spec.hyperparameters, analysis.plan
    training, shipped = plan.training, analysis.spec.shipped
    four_bits = training.quantization in ("nf4", "fp4")
    linear = training.adapters and training.target_modules == "all-linear"
    fsdp2 = plan.fsdp is not None and plan.fsdp.version == 2
    present = {
        "4-bit quantisation": four_bits,
        "bnb_4bit_quant_storage": four_bits and given.bnb_4bit_quant_storage not in (None, "uint8"),
        "the shipped script": shipped,
        "use_rslora": training.adapters and given.use_rslora,
        "use_dora": training.adapters and given.use_dora,
        "target_modules all-linear": linear and (shipped or given.target_modules is not None),
        "liger": given.liger and training.trainer == "transformers",
        "activation_offloading": given.activation_offloading and training.trainer == "trl",
        "FSDP2": fsdp2 and (shipped or analysis.spec.instance.fsdp_version is not None),
        f"attn_implementation {given.attn_implementation}": True,
        f"optim {given.optim}": not training.own_loop,
        f"lr_scheduler_type {given.lr_scheduler_type}": not training.own_loop,
    }
    return {("option", name): name for name, holds in present.items() if holds}
