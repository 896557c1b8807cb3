"""Which program a call starts, with which versions, and in how many processes."""

from __future__ import annotations

import re

from hbspec.frontends.calls.hardware import said
from hbspec.frontends.calls.jobs import JobCall
from hbspec.frontends.reading.building import Building
from hbspec.frontends.reading.foreign import ForeignKey
from hbspec.frontends.reading.own_program import ENTRY_POINT, SCRIPT, TRAINER

SOFTWARE = "software"
PARALLELISM = ("instance", "parallelism")
VERSION = re.compile(r"^[0-9]{1,6}(?:\.[0-9A-Za-z]{1,40}){1,5}$")
IN_TAG = {
    "transformers": re.compile(r"-transformers([0-9]+(?:\.[0-9]+)+)"),
    "torch": re.compile(r"pytorch[a-z-]*:([0-9]+(?:\.[0-9]+)+)"),
}
STARTERS = re.compile(r"torchrun|accelerate launch|deepspeed |torch\.distributed")
PROGRAM = re.compile(r"[\w./-]{1,200}\.(?:py|sh)\b")
LAUNCHES = re.compile(r"\.sh$|launch", re.IGNORECASE)
"""Names of programs that start others."""
STARTING = (("distribution",), ("distributed",), ("source_code",), ("source_code", "command"))
"""Arguments that may start a process for each GPU."""


def put_software(job: JobCall, building: Building) -> None:
    """The script, the trainer that is supposed to run, and the versions of the image."""
    building.put(SCRIPT, said(job, "entry_point", "source_code.entry_script"))
    command = said(job, "source_code.command")
    if command and not building.has(SCRIPT) and (started := PROGRAM.search(command.text)):
        building.put(SCRIPT, command, started[0])
    building.default(SCRIPT, ENTRY_POINT, "stands for the program that the container starts")
    building.put(("script", "source_dir"), said(job, "source_dir", "source_code.source_dir"))
    building.default(TRAINER, "transformers", "the trainer that Hugging Face's scripts for SageMaker use")
    image = said(job, "image_uri", "training_image")
    named = {"transformers": said(job, "transformers_version"), "torch": said(job, "pytorch_version")}
    if job.job.kind == "PyTorch":
        named["torch"] = said(job, "framework_version")
    for library, given in named.items():
        found = IN_TAG[library].search(image.text) if image else None
        if found:
            building.put((SOFTWARE, library), image, found[1])
        elif given and VERSION.match(given.text):
            building.put((SOFTWARE, library), given, given.text)
    tensorflow = job.get("tensorflow_version")
    if tensorflow and tensorflow.acts:
        action = "use pytorch_version, if that is meant"
        building.refuse(tensorflow, "a training by TensorFlow is not estimated", action)
    for name in ("py_version", "dependencies", "git_config", "source_code"):
        job.get(name)


def put_processes(job: JobCall, building: Building) -> None:
    """One process for each instance, unless `distribution` or the program itself starts more."""
    if building.has(PARALLELISM):
        _read_distribution(job, building)
        return
    if _read_distribution(job, building):
        return
    program = said(job, "entry_point", "source_code.entry_script", "source_code.command")
    command = said(job, "source_code.command", "container_entry_point")
    starts = command and STARTERS.search(" ".join(command.texts))
    if command and starts:
        building.put(PARALLELISM, command, "ddp")
    elif program and not LAUNCHES.search(program.text) and job.computed.keys().isdisjoint(STARTING):
        source = "sagemaker starts one process on each instance, unless `distribution` says otherwise"
        building.default(PARALLELISM, "single", source)


def _read_distribution(job: JobCall, building: Building) -> bool:
    """Whether `distribution` starts a process for each GPU; model parallelism of SageMaker's own is not estimated."""
    whole = job.get("distribution", "distributed")
    old, new = job.inside("distribution"), job.inside("distributed")
    smp = old.inside("smdistributed")
    split, data = smp.peek("modelparallel"), smp.inside("dataparallel").get("enabled")
    own = new.peek("smp")
    if given := split or own:
        building.unread(given, "either", "divides the model over GPUs in SageMaker's own way")
    if data and data.flag and (whole_data := smp.peek("dataparallel")):
        building.slower_or_faster(whole_data)
    names = ("torch_distributed", "pytorchddp", "mpi")
    started = [found for name in names if (found := old.inside(name).get("enabled")) and found.flag]
    kind = new.get("class")
    enabled: ForeignKey | None = next(iter(started), None) or (data if data and data.flag else None) or split or kind
    if enabled is None or whole is None:
        return False
    if not building.has(PARALLELISM):
        building.put(PARALLELISM, enabled, "ddp")
    return True
