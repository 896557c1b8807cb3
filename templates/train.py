"""Fine-tunes a chat model by one of TRL's trainers: QLoRA, LoRA or all weights, on one GPU or many.

The entry point. It reads the settings and the data first and refuses both in a moment, with every mistake at once on
standard error and exit code 2; only then is anything heavy imported. `train.py --help` lists the settings.
"""

from __future__ import annotations

if __name__ == "__main__":  # first of all: the imports below take a third of a second
    import leaving

    leaving.listen()

import importlib.util
import io
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import failure
import leaving
from base_model import refuse_other_base
from checkpoints import Start, find_start
from conversations import read_conversations
from fingerprint import Fingerprint, fingerprint
from folder_lock import Held, alone_in
from folders import unread
from handover import parse, problems_of, refuse_folders
from initial_adapters import folder_of
from job_examples import Example, KeepingReader
from mixing import split
from model_folder import place_of, refuse_other_model, refuse_shorter
from readers import Naming
from records import CONVERSATIONAL, STANDARD, Layout
from run_record import refuse_other_record
from settings import Folders, Invocation, RefusedError, Settings, usage
from task_settings import evaluation_refusals
from tiny import rehearsal

REFUSED = 2
"""Exit code when settings or data cannot be used."""


def main(arguments: Sequence[str]) -> int:
    """Runs the job. Exit codes: 0 done or stopped by a signal, 2 refused, 3 ended by a watch, 1 anything else."""
    if "--help" in arguments:
        print(usage())
        return 0
    leaving.listen()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the log shows names of files, which can be any bytes
    asked: Invocation | None = None
    try:
        asked = parse(arguments, os.environ)
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        settings, overrides = rehearsal(asked, launched="RANK" in os.environ, processes=processes)
        if settings.PARALLELISM.startswith("zero") and importlib.util.find_spec("deepspeed") is None:
            raise RefusedError([f"PARALLELISM={settings.PARALLELISM} needs deepspeed, which is not installed"])
        invocation = Invocation(settings, asked.folders)
        refuse_folders(invocation)
        (train, validation), digests = _splits(asked.folders, settings)
        _say_unread(asked.folders)
        if (settings.EVAL_STEPS or settings.EVALS_PER_EPOCH) and not validation:
            folder = asked.folders.validation_dir
            name = "EVALS_PER_EPOCH" if settings.EVALS_PER_EPOCH else "EVAL_STEPS"
            said = f"{name} is set, but {folder} holds no data: pass --validation-dir FOLDER, or VALIDATION_SHARE"
            raise RefusedError([said])
        if validation and (few := list(evaluation_refusals(settings, processes))):
            raise RefusedError(few)
        with alone_in(asked.folders) if leaving.is_first() else nullcontext(Held()) as held:
            mine = fingerprint(invocation, processes, *digests)
            start = _start(invocation, mine)
            _choose_devices(invocation)
            from job import run  # torch and its kin, which take seconds to import

            return run(invocation, overrides, train, validation, mine, start, held)
    except RefusedError as refused:
        if leaving.is_first_of_host():  # every rank of a host reads the same
            for problem in refused.problems:
                print(f"train.py: {problem}", file=sys.stderr)
        if leaving.is_first() and asked is not None:
            failure.tell(asked.folders, refused.problems)
        return REFUSED


def _splits(folders: Folders, settings: Settings) -> tuple[list[list[Example]], list[dict[str, str]]]:
    """Training and validation examples, and the digests of their files; both refused at once.

    Without its folder the validation split is the share that is held out of the training data, or else empty.
    """
    found: list[list[Example]] = []
    digests: list[dict[str, str]] = [{}, {}]
    held = folders.validation_dir.is_dir()
    share, weights = settings.VALIDATION_SHARE, settings.DATA_WEIGHTS
    layout = Layout(settings.DATA_TYPE, STANDARD if settings.DATA_FORMAT == STANDARD else CONVERSATIONAL)
    naming, whole = Naming("DATA_TYPE", "DATA_COLUMNS"), settings.TASK == "pretrain"
    reader = KeepingReader(layout, settings.DATA_COLUMNS, None, naming)
    problems = problems_of(
        lambda: found.append(read_conversations(folders.train_dir, digests[0], reader, weights, whole)),
        lambda: found.append(
            read_conversations(folders.validation_dir, digests[1], reader, None, whole) if held else []
        ),
    )
    if share is not None and held:
        problems.append(f"VALIDATION_SHARE={share} is set, and {folders.validation_dir} holds data: use one of them")
    if problems:
        raise RefusedError(problems)
    if share is not None:
        (examples, _), found = found, []
        found += split(examples, share, settings.SEED, lambda example: example.asked)
        if not found[0]:
            said = f"VALIDATION_SHARE={share} of {len(examples)} examples leaves none to train on: set a smaller share"
            raise RefusedError([said])
    return found, digests


def _say_unread(folders: Folders) -> None:
    """What lies beside the data is named once: it may be data under another name."""
    if leaving.is_first_of_host():
        for folder in (folders.train_dir, folders.validation_dir):
            if folder.is_dir() and (said := unread(folder)):
                print(f"hbspec: note {folder} {said}", flush=True)


def _start(invocation: Invocation, mine: Fingerprint) -> Start:
    """Where training starts; what others have put into the folders that it writes is refused at once."""
    found: list[Start] = []
    problems = problems_of(
        lambda: refuse_other_model(place_of(invocation), mine),
        lambda: found.append(find_start(invocation.folders.checkpoint_dir, mine)),
        lambda: refuse_other_record(invocation.folders.output_data_dir, mine),
        lambda: refuse_other_base(invocation),
    )
    if problems:
        raise RefusedError(problems)
    updates = invocation.settings.MAX_STEPS  # else the job counts them, when it knows how long an epoch is
    if updates and updates >= found[0].step:
        refuse_shorter(place_of(invocation), mine, updates)
    return found[0]


def _choose_devices(invocation: Invocation) -> None:
    """What torch and accelerate read from the environment when they are imported."""
    if invocation.folders.tiny:
        os.environ |= {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
        return
    adapters_here = invocation.settings.ADAPTER is None or folder_of(invocation) is not None
    if invocation.folders.base_dir is not None and adapters_here:
        # all files are here, and peft would ask the Hub for the config of the model at every save
        os.environ["HF_HUB_OFFLINE"] = "1"
    if invocation.settings.PARALLELISM == "single":
        # with several GPUs in sight the trainer would replicate the model over all of them (nn.DataParallel)
        os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
    if invocation.settings.PARALLELISM in ("single", "pipeline"):
        # torchrun with one process still says "distributed", in which a model split over GPUs is refused
        for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
            os.environ.pop(name, None)


if __name__ == "__main__":
    leaving.end(main(sys.argv[1:]))
