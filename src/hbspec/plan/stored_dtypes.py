"""The dtypes in which weights and adapters are stored: they follow from who trains, the method and the parallelism."""

from __future__ import annotations

from typing import Any

from hbspec.plan.parallelism import PARALLELISMS
from hbspec.plan.resolution import Resolution
from hbspec.plan.training import OWN_LOOPS

WIDENED = "accelerate, utils/fsdp_utils.py (what FSDP trains is float32 under mixed precision)"
OWN_FSDP2 = ("axolotl",)
"""Frameworks that wrap models for FSDP2 by code of their own, which leaves weights as they are loaded (axolotl:
`monkeypatch/accelerate/fsdp2.py`)."""


class StoredDtypes(Resolution):
    """Resolves dtypes; each that is not the author's is computed for the method and the parallelism at hand."""

    def dtypes(self, trainer: str, method: str, compute: str) -> dict[str, Any]:
        """The dtypes of a training, and whether its steps run under autocast; see `Training`."""
        software, instance = self.spec.software, self.spec.instance
        litgpt, quantised = trainer == "litgpt", method == "qlora"
        adapter = "bfloat16" if trainer == "trl" and quantised and compute == "bfloat16" else "float32"
        adapter = compute if litgpt else adapter
        own = trainer in OWN_LOOPS
        autocast = software.autocast if software.autocast is not None else compute != "float32" and not own
        sharded = PARALLELISMS[instance.parallelism].takes_strategy and instance.sharding != "none"
        widened = method == "full" and sharded and autocast
        master = widened or (method == "full" and compute == "float16")
        prepared = quantised and trainer not in ("trl", "litgpt")
        weights = "float32" if prepared or (master and not litgpt) else compute
        adapter_dtype = software.adapter_dtype or self._framework_s("adapter_dtype", compute, widened=False) or adapter
        return {
            "compute_dtype": compute,
            "adapter_dtype": adapter_dtype,
            "weights_dtype": software.weights_dtype
            or self._framework_s("weights_dtype", compute, widened=widened and not self._leaves_dtypes)
            or weights,
            "autocast": autocast,
        }

    @property
    def _leaves_dtypes(self) -> bool:
        """Whether FSDP shards weights as they are loaded."""
        return self.framework in OWN_FSDP2 and self.spec.instance.fsdp_version == 2

    def _framework_s(self, name: str, compute: str, *, widened: bool) -> str | None:
        """The framework's own dtype of weights or adapters, noted; None where it is not known.

        A 16-bit one is that of the products, whichever that is, as axolotl, LLaMA-Factory and torchtune load weights.
        """
        theirs = self.theirs.get(f"software.{name}")
        if theirs is None:
            return None
        chosen, source = theirs.value if theirs.value == "float32" else compute, theirs.source
        if widened and chosen != "float32":
            chosen, source = "float32", WIDENED
        self.choices.note(("software", name), chosen, source)
        return str(chosen)

    def loaded(self, compute: str) -> str:
        """The dtype that weights are loaded in; accelerate widens what FSDP trains after that."""
        return self.spec.software.weights_dtype or ("float32" if compute == "float16" else compute)
