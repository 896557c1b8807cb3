"""The trainer's saves: each ends with a manifest, and only then are older checkpoints deleted.

transformers deletes at the end of its own save, before a manifest could be written, and by the folders' times, which a
copy from S3 resets. Here deletion comes last and goes by step, so that from the first save on there is a whole
checkpoint at any moment.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import checkpoints
import manifest
import torch
from accelerate.utils import gather_object
from documents import saying_room
from evaluating import Evaluating
from fingerprint import SHOWN_DIFFERENCES, Fingerprint, differences
from folder_lock import Held
from settings import RefusedError


def refuse_together(problems: Iterable[str]) -> None:
    """Ends all ranks where one has found a problem: else the others would wait for it.

    Raises:
        RefusedError: with the problems of all ranks.
    """
    found: list[str] = gather_object(list(problems))
    if found:
        raise RefusedError(list(dict.fromkeys(found)))


def refuse_unlike_ranks(start: checkpoints.Start, learned: Mapping[str, Any]) -> None:
    """Ends all ranks where they would not train the same: hosts may hold other files.

    Raises:
        RefusedError: they have read different files.
        RuntimeError: they hold different checkpoints.
    """
    steps = gather_object([start.step])
    if len(set(steps)) > 1:
        raise RuntimeError(f"the ranks do not find the same checkpoint: they would start after updates {steps}")
    first, *others = gather_object([dict(learned)])
    if unlike := list(dict.fromkeys(line for theirs in others for line in differences(theirs, first))):
        raise RefusedError(
            ["the ranks would not train the same: start again on the same files", *unlike[:SHOWN_DIFFERENCES]]
        )


def _held(parameter: torch.Tensor) -> torch.Tensor | None:
    """What this rank holds of a weight that is trained: ZeRO-3 and FSDP cut it up; None of any other."""
    if not parameter.requires_grad:
        return None
    part = getattr(parameter, "ds_tensor", parameter).detach()
    return part.to_local() if hasattr(part, "to_local") else part


class Saving(Evaluating):
    """Before a `transformers.Trainer`: its checkpoints say which run wrote them and whether they are whole.

    Its arguments leave `save_total_limit` unset.
    """

    def save_as(self, fingerprint: Fingerprint, held: Held, keep: int | None) -> None:
        """Says whose checkpoints these will be, before the first is written.

        Args:
            fingerprint: what the run learns from.
            held: the folders that the run began in.
            keep: checkpoints kept; None for all.
        """
        self.fingerprint = fingerprint
        self.held = held
        self.keep = sys.maxsize if keep is None else keep
        self.saved_step = 0
        self.said: set[str] = set()
        self.start = checkpoints.Start()

    def check(self, start: checkpoints.Start) -> None:
        """Asks whether the checkpoint to load is still the one that was found.

        Raises:
            RefusedError: on any rank it is not.
        """
        self.start = start
        refuse_together(checkpoints.changed(start))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """The last part of a checkpoint that is loaded; if it was changed meanwhile, parts of two may be mixed."""
        super()._load_rng_state(checkpoint)
        self.check(self.start)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Saves, unless nothing was learnt since the last save: that one is whole, and this one could be cut off.

        Nor are weights saved that are not finite: in a few saves they would take the place of all that are. They stay
        so, and training ends.
        """
        step = self.state.global_step
        if step == self.saved_step:
            return
        if problems := self.diverged():
            self.control.should_training_stop = True
            if self.is_world_process_zero():
                print(f"hbspec: WARNING {problems[0]}; this update is not saved, and training ends", flush=True)
            return
        folder = Path(self.args.output_dir)
        checkpoint = folder / manifest.name_of(step)
        with saying_room(checkpoint):
            self._begin(checkpoint)
            super()._save_checkpoint(model, trial)
            self._make_whole(checkpoint)
        self.saved_step = step
        self._rotate(folder, step)

    def diverged(self) -> list[str]:
        """What is wrong with the trained weights, on any rank; nothing where all are finite numbers."""
        parts = [part for part in map(_held, self.model.parameters()) if part is not None]
        finite = all(math.isfinite(float(part.sum(dtype=torch.float32))) for part in parts)
        if all(gather_object([finite])):
            return []
        said = f"training diverged: trained weights are not finite numbers after update {self.state.global_step}"
        newest = f"the newest checkpoint is {manifest.name_of(self.saved_step)}" if self.saved_step else "none is saved"
        return [f"{said}; {newest}; train with a lower LEARNING_RATE, or with a warm-up"]

    def create_model_card(self, *arguments: Any, **named: Any) -> None:
        """Writes nothing: TRL's card would lie beside the checkpoints, in the place of a README.md that is there."""

    def _begin(self, checkpoint: Path) -> None:
        """Removes a damaged one of this name, whose files must not be taken for new ones.

        Raises:
            RefusedError: somebody made it, or put something into it, or moved the folder, since the run began.
        """
        refuse_together([*self.held.moved(), *checkpoints.taken(checkpoint, self.fingerprint)])
        self._delete(checkpoint)
        if self.accelerator.is_local_main_process:
            manifest.begin(checkpoint, self.fingerprint)
        self.accelerator.wait_for_everyone()

    def _make_whole(self, checkpoint: Path) -> None:
        """Every host lists the files that its ranks saved; the manifest lists them all."""
        self.accelerator.wait_for_everyone()
        listed = gather_object([manifest.contents(checkpoint)] if self.accelerator.is_local_main_process else [])
        if self.accelerator.is_main_process:
            files = {name: entry for each in listed for name, entry in each.items()}
            manifest.write_manifest(checkpoint, self.fingerprint, files)

    def _rotate(self, folder: Path, step: int) -> None:
        """Deletes what is superfluous on all hosts, and says once what is not deleted, and why."""
        old: list[str] = []
        if self.accelerator.is_main_process:
            best = self.state.best_model_checkpoint
            chosen = self.args.metric_for_best_model is not None
            due = [number for number in checkpoints.steps(folder) if chosen and self.is_due(number)]
            old = checkpoints.superfluous(folder, self.fingerprint, step, self.keep, best, due)
            notes = dict.fromkeys(checkpoints.notes_on_added(folder, self.fingerprint, step))
            for note in notes.keys() - self.said:
                print(f"hbspec: {note}", flush=True)
            self.said |= notes.keys()
        paths = [folder / name for name in gather_object(old)]
        ours = [path for path in paths if not any(checkpoints.taken(path, self.fingerprint))]
        self._delete(*ours, spared=(OSError,))  # the next save tries again

    def _delete(self, *paths: Path, spared: tuple[type[OSError], ...] = ()) -> None:
        """Deletes folders, or the links that have their names, on every host."""
        if self.accelerator.is_local_main_process:
            for path in paths:
                with suppress(*spared):
                    manifest.discard(path)
        self.accelerator.wait_for_everyone()
