"""The beginning of a script that starts another framework from the compiled folder, or goes on from its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.targets.lowering.shell import HERE, opening

OUTPUT = "model"
"""Folder of checkpoints and model, in the run's own folder; `data` is a link beside it."""
STATE = "trainer_state.json"
"""What transformers (5.23.0, `trainer.py`, `_save_checkpoint`) writes last into a checkpoint."""


def started(about: str, name: str, machines: int) -> Iterator[str]:
    """Lines that make the run's own folder with the compiled files in it, and enter it.

    They set `hosts` for accelerate, and `checkpoint` to the newest whole one of an earlier start, or to nothing. On
    other data a run does not go on, and one whose last update is saved is not started again: transformers would train
    one update more.

    Args:
        about: a sentence that says what the script does.
        name: of the run.
        machines: number of hosts.
    """
    yield from opening(
        about,
        "# train.sh DATA [ARGUMENT...]: DATA has a folder for each split, train and validation.",
        f"# RUN_DIR is the folder in which {name} is made, with checkpoints and model: by default the current one.",
        "# Started again, it goes on from the newest checkpoint.",
    )
    yield f"here=$(cd -- {HERE} && pwd)"
    yield 'data=$(cd -- "${1:?is the folder of the data}" && pwd)'
    yield "shift"
    yield 'cd -- "${RUN_DIR:-$PWD}"'
    yield f"mkdir -p {name}"
    yield f"cd {name}"
    yield 'if [[ -L data && $(readlink data) != "$data" ]]; then'
    yield '  echo "$PWD is of a run on $(readlink data): set RUN_DIR to another folder for $data" >&2'
    yield "  exit 2"
    yield "fi"
    yield 'ln -sfn "$data" data'
    yield 'for file in "$here"/*.yaml "$here"/*.json "$here"/*.jinja; do if [[ -f $file ]]; then cp "$file" .; fi; done'
    yield "checkpoint='' step=0"
    yield f"for state in {OUTPUT}/checkpoint-*/{STATE}; do"
    yield "  folder=${state%/*} number=${state%/*}"
    yield "  number=${number##*-}"
    yield "  if [[ -f $state && $number =~ ^[0-9]+$ ]] && ((number > step)); then checkpoint=$folder step=$number; fi"
    yield "done"
    yield f'if ((step > 0)) && grep -q \'"max_steps": \'"$step," "$checkpoint/{STATE}"; then'
    yield '  echo "$PWD/$checkpoint is the last update already: nothing is left to train" >&2'
    yield "  exit 0"
    yield "fi"
    yield "hosts=()"
    if machines > 1:
        yield "# Every machine runs this script, and is told which one it is."
        yield 'hosts+=(--machine_rank "${NODE_RANK:?is the number of this machine, 0 for the first}")'
        yield 'hosts+=(--main_process_ip "${MASTER_ADDR:?is the address of the first machine}")'
        yield "hosts+=(--main_process_port 7777)"
