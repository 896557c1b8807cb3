"""The beginning of a script that starts another framework from the compiled folder."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.targets.lowering.shell import HERE, opening


def started(about: str, name: str, machines: int) -> Iterator[str]:
    """Lines that make the run's own folder with the compiled files in it, enter it, and set `hosts` for accelerate.

    The frameworks' files name folders relative to the current one: `data`, and below the run's folder what is written.

    Args:
        about: a sentence that says what the script does.
        name: of the run.
        machines: number of hosts.
    """
    yield from opening(
        about,
        "# train.sh DATA [ARGUMENT...]: DATA has a folder for each split, train and validation.",
        f"# RUN_DIR is the folder in which {name} is made, with checkpoints and model: by default the current one.",
    )
    yield f"here=$(cd -- {HERE} && pwd)"
    yield 'data=$(cd -- "${1:?is the folder of the data}" && pwd)'
    yield "shift"
    yield 'cd -- "${RUN_DIR:-$PWD}"'
    yield f"mkdir -p {name}"
    yield f'for file in "$here"/*.yaml "$here"/*.json; do if [[ -f $file ]]; then cp "$file" {name}/; fi; done'
    yield f"cd {name}"
    yield 'ln -sfn "$data" data'
    yield "hosts=()"
    if machines > 1:
        yield "# Every machine runs this script, and is told which one it is."
        yield 'hosts+=(--machine_rank "${NODE_RANK:?is the number of this machine, 0 for the first}")'
        yield 'hosts+=(--main_process_ip "${MASTER_ADDR:?is the address of the first machine}")'
        yield "hosts+=(--main_process_port 7777)"
