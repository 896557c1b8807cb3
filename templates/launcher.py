"""Starts the ranks of this host, and gives each the time to save that the service gives a job that it stops.

    python launcher.py --nproc_per_node 8 train.py --PARALLELISM ddp

It takes torchrun's place, whose options it spells the same way, because of how a job is stopped: torchrun kills ranks
30 seconds after SIGTERM (an option for it exists since torch 2.12 only), and exits with 1 though every rank exits with
0. Here SIGTERM or SIGINT is passed on to every rank, ranks that still run after `--grace` seconds are killed, and the
exit code is 0 where every rank exited with 0.

If a rank fails, the others are stopped, and the exit code is the first failure's: its own, or 128 and the signal's
number. If the launcher itself is killed, the kernel kills its ranks (Linux only). Left out: restarts, and ranks that
join or leave, which `torchrun` has. Only the standard library is imported.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":  # first of all: the imports below take a tenth of a second
    heard: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: heard.append(number))

import argparse
import ctypes
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

GRACE_SECONDS = 115.0
"""From SIGTERM to SIGKILL: SageMaker's 120 seconds without the time to end the container itself."""
FAILURE_SECONDS = 15.0
"""As long as ranks have to end when another failed: most then wait for it in vain and save nothing."""
INTERPRETER_SECONDS = 2.0
"""Until a rank has its interpreter and can handle a signal; before that it would be killed by it."""
POLL_SECONDS = 0.1
PR_SET_PDEATHSIG = 1
"""https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html"""


def main(words: Sequence[str], heard: list[int]) -> int:
    """Starts the ranks and waits for all of them; returns the exit code.

    Args:
        words: the command line.
        heard: grows by each signal that asks the job to end.
    """
    options = _options(words)
    if heard:
        _say(f"{signal.Signals(heard[0]).name}: no rank is started")
        return 0
    launch = Launch(options.grace, heard)
    launch.start([sys.executable, "-u", options.script, *options.arguments], environments(options, os.environ))
    return launch.wait()


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("launcher.py", description="Starts a Python script once for each GPU.")
    parser.add_argument("--nproc_per_node", type=int, default=1, help="ranks on this host")
    parser.add_argument("--nnodes", type=int, default=1, help="hosts")
    parser.add_argument("--node_rank", type=int, default=0, help="number of this host, from 0")
    parser.add_argument("--master_addr", default="127.0.0.1", help="address of host 0")
    parser.add_argument("--master_port", type=int, help="a port of host 0; else MASTER_PORT, or a free one")
    parser.add_argument("--grace", type=float, default=GRACE_SECONDS, help="seconds from SIGTERM to SIGKILL")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(words)
    if min(options.nproc_per_node, options.nnodes) < 1 or not 0 <= options.node_rank < options.nnodes:
        parser.error("--nproc_per_node and --nnodes are at least 1, and --node_rank is below --nnodes")
    if options.nnodes > 1 and options.master_port is None and "MASTER_PORT" not in os.environ:
        parser.error("several hosts need a --master_port that all of them know")
    return options


def environments(options: argparse.Namespace, inherited: Mapping[str, str]) -> list[dict[str, str]]:
    """The environment of each rank of this host: what PyTorch's `env://`, accelerate and DeepSpeed read.

    Defaults that torchrun sets are set: one thread for each of several ranks, and NCCL's errors end a rank. Rank 0
    holds the store that others find each other in, and not the launcher (`TORCHELASTIC_USE_AGENT_STORE`).
    """
    local, first = options.nproc_per_node, options.node_rank * options.nproc_per_node
    defaults = {"TORCH_NCCL_ASYNC_ERROR_HANDLING": "1", **({"OMP_NUM_THREADS": "1"} if local > 1 else {})}
    shared = {
        "WORLD_SIZE": options.nnodes * local,
        "LOCAL_WORLD_SIZE": local,
        "NODE_RANK": options.node_rank,
        "GROUP_RANK": options.node_rank,
        "GROUP_WORLD_SIZE": options.nnodes,
        "MASTER_ADDR": options.master_addr,
        "MASTER_PORT": options.master_port or inherited.get("MASTER_PORT") or _free_port(),
        "TORCHELASTIC_USE_AGENT_STORE": False,
    }
    ranks = ({**shared, "RANK": first + number, "LOCAL_RANK": number} for number in range(local))
    return [{**defaults, **inherited, **{name: str(value) for name, value in own.items()}} for own in ranks]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Launch:
    """The ranks of this host, from their start to the end of the last.

    Args:
        grace: seconds from the first signal until ranks are killed.
        heard: grows by each signal: the first asks the job to end; a second SIGINT, that it end at once.
    """

    def __init__(self, grace: float, heard: Sequence[int]) -> None:
        self.grace = grace
        self.heard = heard
        self.ranks: dict[str, subprocess.Popen[bytes]] = {}
        self.failure = 0
        self.deadline = math.inf
        self.listening = math.inf

    def start(self, command: Sequence[str], environments: Sequence[Mapping[str, str]]) -> None:
        """Starts a rank in each environment, in a process group of its own: a terminal's Ctrl-C reaches none."""
        prepare = _die_with_parent()
        for environment in environments:
            self.ranks[environment["RANK"]] = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=prepare
            )
        self.listening = time.monotonic() + INTERPRETER_SECONDS

    def wait(self) -> int:
        """Waits for all ranks, and ends them where one failed or a signal came; returns the exit code."""
        while running := {name: rank for name, rank in self.ranks.items() if rank.poll() is None}:
            self._judge()
            if self.heard and self.deadline == math.inf and time.monotonic() > self.listening:
                _say(f"{signal.Signals(self.heard[0]).name}: ranks have {self.grace:g} s to save and end")
                self._ask(running, self.grace)
            if self.failure and self.deadline == math.inf:
                self._ask(running, FAILURE_SECONDS)
            if time.monotonic() > self.deadline or self.heard.count(signal.SIGINT) > 1:
                _kill(running)
            time.sleep(POLL_SECONDS)
        self._judge()
        return self.failure

    def _judge(self) -> None:
        """Takes the first failure for that of the job."""
        codes = {name: rank.returncode for name, rank in self.ranks.items() if rank.returncode}
        if codes and not self.failure:
            name, code = next(iter(codes.items()))
            self.failure = code if code > 0 else 128 - code
            _say(f"rank {name} ended " + (f"with exit code {code}" if code > 0 else f"by {_name(-code)}"))

    def _ask(self, running: Mapping[str, subprocess.Popen[bytes]], seconds: float) -> None:
        """Asks ranks to end. Not their groups: the processes that load a rank's data must not die before it."""
        self.deadline = time.monotonic() + seconds
        for rank in running.values():
            rank.terminate()


def _kill(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Kills ranks with all that they started."""
    _say(f"killed, since they still run: ranks {', '.join(running)}")
    for rank in running.values():
        os.killpg(rank.pid, signal.SIGKILL)
    for rank in running.values():
        rank.wait()


def _name(number: int) -> str:
    """A signal's name; most real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _die_with_parent() -> Callable[[], None] | None:
    """What a rank runs before its program, so that the kernel kills it when the launcher dies; None but on Linux."""
    if sys.platform != "linux":
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(1)

    return bind


def _say(text: str) -> None:
    # nobody may read standard error, or it is closed; the ranks are waited for all the same
    with suppress(OSError, ValueError, AttributeError):
        os.write(sys.stderr.fileno(), f"launcher.py: {text}\n".encode())


if __name__ == "__main__":
    code = main(sys.argv[1:], heard)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the ranks have ended, and so has the job
    sys.exit(code)
