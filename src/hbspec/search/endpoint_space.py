"""Every endpoint that serves the same model to the same requests: instances x tensor-parallel degree x quantisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from math import ceil
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.analysis.change import Change, Settings
from hbspec.catalog import InstanceType
from hbspec.diagnostics import known
from hbspec.search.request import Request
from hbspec.spec.changed import with_value
from hbspec.spec.deployment import Deployment

MADE = {"fp8": 8, "nf4": 4}
"""Quantisations that an engine makes of the 16-bit weights it loads, with their bits."""

INSTANCE = ("deployment", "instance")


class EndpointChoice(NamedTuple):
    """One endpoint, as the value that it has on each axis; `parts` are the GPUs that share each layer."""

    type: str | None
    number: int
    region: str | None
    parts: int
    quantization: str


class EndpointSpace:
    """The endpoints of a spec, which all serve the same model.

    `max_model_len` stays, and so does the number of requests that are served at once by all instances together: where
    there are fewer instances, each serves more. Where `autoscaling` sets limits, the number of instances stays.

    Left out: another engine, several groups of GPUs on one instance, the dtype of the KV cache, and
    `gpu_memory_utilization`.

    Args:
        analysis: a spec with a deployment.
        request: what is asked.

    Raises:
        NotKnownError: the spec has no deployment.
    """

    def __init__(self, analysis: Analysis, request: Request) -> None:
        self.analysis, self.request = analysis, request
        self.section: Deployment = known(analysis.spec.deployment, "a deployment")
        plan, where = analysis.serving_plan, self.section.instance
        self.now = EndpointChoice(where.type, where.count, plan.region, plan.tensor_parallel, plan.quantization)
        self.asked = plan.concurrency * where.count

    def choices(self) -> Iterator[EndpointChoice]:
        """Every endpoint."""
        for name, gpus in self._types():
            for region in self._regions(name):
                for number in self._numbers():
                    for parts in self._parts(gpus):
                        for quantization in self._quantizations():
                            yield EndpointChoice(name, number, region, parts, quantization)

    def _types(self) -> Iterator[tuple[str | None, int]]:
        instances, here = self.analysis.catalog.instances, self.now.type
        if here is None:
            hardware = self.analysis.serving_plan.hardware
            yield None, hardware.gpus_per_instance if hardware else self.now.parts
            return
        for name in sorted(instances):
            row = instances[name]
            if name == here or (self._may_host(row) and not self.request.kept("type")):
                yield name, row.gpus

    def _may_host(self, row: InstanceType) -> bool:
        return bool(row.gpus) and row.gpu in self.analysis.catalog.gpus and row.hosting

    def _regions(self, name: str | None) -> Iterator[str | None]:
        asked = self.request.regions if self.request.regions and not self.request.kept("region") else (self.now.region,)
        row = self.analysis.catalog.instances.get(name or "")
        for region in sorted(dict.fromkeys(asked), key=str):
            if row is None or region in (row.regions or ()) or (name, region) == (self.now.type, self.now.region):
                yield region

    def _numbers(self) -> list[int]:
        """Of instances: no more than there are requests at once, since the others would serve none."""
        now = self.now.number
        if self.section.autoscaling is not None or self.request.kept("count"):
            return [now]
        return sorted({now, *range(1, min(self.request.most_instances, self.asked) + 1)})

    def _parts(self, gpus: int) -> list[int]:
        if self.request.kept("parts"):
            return [self.now.parts]
        found = {parts for parts in range(1, gpus + 1) if gpus % parts == 0}
        return sorted(found | ({self.now.parts} if self.now.parts <= gpus else set()))

    def _quantizations(self) -> tuple[str, ...]:
        """How the weights are stored or made: only an engine's own ways are tried, and only of 16-bit weights."""
        now, stored = self.now.quantization, self.analysis.serving_plan.stored
        if "quantization" not in self.request.allow or stored is not None:
            return (now,)
        return tuple(dict.fromkeys((now, "none", *MADE)))

    def change(self, choice: EndpointChoice) -> Change:
        """The settings that make the spec this endpoint; a key that would say the default is deleted."""
        now, found = self.now, Settings()
        here = self.section.instance
        if choice.type != now.type:
            found[*INSTANCE, "type"] = choice.type
            if here.alternatives:  # those of the replaced type
                found[*INSTANCE, "alternatives"] = None
        if choice.number != now.number:
            found[*INSTANCE, "count"] = None if choice.number == 1 else choice.number
        if here.price is not None and (choice.type, choice.region) != (now.type, now.region):
            found[*INSTANCE, "price"] = None
        values = {
            "region": (now.region, choice.region),
            "tensor_parallel": (now.parts, None if choice.parts == 1 else choice.parts),
            "quantization": (now.quantization, None if choice.quantization == "none" else choice.quantization),
            "concurrency": (self.analysis.serving_plan.concurrency, self._concurrency(choice)),
        }
        same = {"tensor_parallel": choice.parts == now.parts, "quantization": choice.quantization == now.quantization}
        for key, (before, then) in values.items():
            if before != then and not same.get(key):
                found["deployment", key] = then
        return Change("endpoint", found, self._remark(choice))

    def _concurrency(self, choice: EndpointChoice) -> int:
        """The requests that each instance serves at once."""
        now = self.analysis.serving_plan.concurrency
        return now if choice.number == self.now.number else ceil(self.asked / choice.number)

    def _remark(self, choice: EndpointChoice) -> str:
        if choice.quantization == self.now.quantization:
            return ""
        bits = MADE.get(choice.quantization)
        return f"weights are rounded to {bits} bits" if bits else "weights are served in 16 bits"

    def planned(self, choice: EndpointChoice) -> Analysis:
        """The spec with this endpoint."""
        settings = self.change(choice).settings
        spec = reduce(lambda spec, item: with_value(spec, *item), settings.items(), self.analysis.spec)
        return replace(self.analysis, spec=spec)
