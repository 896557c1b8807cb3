"""The trainer's saves: each ends with a manifest, and only then are older checkpoints deleted.

transformers deletes at the end of its own save, before a manifest could be written, and by the folders' times, which a
copy from S3 sets anew. Here deletion comes last and goes by step, so that from the first save on there is a whole
checkpoint at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import checkpoints
import manifest
from accelerate.utils import gather_object
from fingerprint import Fingerprint
from removal import remove
from trl import SFTTrainer


class SavingTrainer(SFTTrainer):  # type: ignore[misc]  # trl has no types
    """`trl.SFTTrainer` whose checkpoints say which run wrote them and whether they are whole.

    Its arguments leave `save_total_limit` unset.

    Args:
        fingerprint: what the run learns from.
        keep: checkpoints kept.
    """

    def __init__(self, *arguments: Any, fingerprint: Fingerprint, keep: int, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fingerprint = fingerprint
        self.keep = keep
        self.saved_step = 0
        self.best: Mapping[str, Any] = {}

    def resume(self, checkpoint: Path, step: int, best: Mapping[str, Any]) -> None:
        """Trains on.

        Args:
            checkpoint: a whole one.
            step: its last update.
            best: fields of the trainer's state that name the best checkpoint, see `checkpoints.best_left`.
        """
        self.saved_step, self.best = step, best
        self.train(resume_from_checkpoint=str(checkpoint))

    def _init_training_state(self, *arguments: Any) -> Any:
        """The trainer's state; out of a checkpoint, it has that run's intervals and paths, and here are this run's."""
        found = super()._init_training_state(*arguments)
        self.state.compute_steps(self.args, self.state.max_steps)
        for name, value in self.best.items():
            setattr(self.state, name, value)
        return found

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Saves, unless nothing was learnt since the last save: that one is whole, and this one could be cut off."""
        step = self.state.global_step
        if step == self.saved_step:
            return
        folder = Path(self.args.output_dir)
        checkpoint = folder / manifest.name_of(step)
        self._begin(checkpoint)
        super()._save_checkpoint(model, trial)
        self._make_whole(checkpoint)
        self.saved_step = step
        best = self.state.best_model_checkpoint
        main = self.accelerator.is_main_process
        old: list[str] = gather_object(checkpoints.superfluous(folder, step, self.keep, best) if main else [])
        self._delete(*(folder / name for name in old), spared=(OSError,))  # the next save tries again

    def create_model_card(self, *arguments: Any, **named: Any) -> None:
        """Writes nothing: TRL's card would lie beside the checkpoints, in the place of a README.md that is there."""

    def _begin(self, checkpoint: Path) -> None:
        """Removes a damaged one of this name, whose files must not be taken for new ones.

        Raises:
            FileExistsError: another program made it since the run began.
        """
        if manifest.is_foreign(checkpoint):
            raise FileExistsError(f"{checkpoint} was written by another program while this run trained")
        self.accelerator.wait_for_everyone()
        self._delete(checkpoint)
        if self.accelerator.is_local_main_process:
            manifest.begin(checkpoint)
        self.accelerator.wait_for_everyone()

    def _make_whole(self, checkpoint: Path) -> None:
        """Every host lists the files that its ranks saved; the manifest lists them all."""
        self.accelerator.wait_for_everyone()
        listed = gather_object([manifest.contents(checkpoint)] if self.accelerator.is_local_main_process else [])
        if self.accelerator.is_main_process:
            files = {name: entry for each in listed for name, entry in each.items()}
            manifest.write_manifest(checkpoint, self.fingerprint, files)

    def _delete(self, *paths: Path, spared: tuple[type[OSError], ...] = ()) -> None:
        """Deletes folders, or the links that have their names, on every host."""
        if self.accelerator.is_local_main_process:
            for path in paths:
                with suppress(*spared):
                    remove(path)
        self.accelerator.wait_for_everyone()
