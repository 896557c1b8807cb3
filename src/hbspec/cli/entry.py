"""The entry point: parse the command line, run the command, and turn exceptions into messages and exit codes."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence

from hbspec import __version__
from hbspec.catalog.price_file import PriceFileError
from hbspec.cli import plain
from hbspec.cli.command import Call, MisuseError
from hbspec.cli.exit_codes import BROKEN_PIPE, FAULT, INTERRUPTED, UNUSABLE
from hbspec.cli.streams import Outlet, guarded
from hbspec.configuration import ConfigurationError
from hbspec.diagnostics import Report
from hbspec.showing import shown

ACTIONS = {
    errno.ENOENT: "correct the path",
    errno.ENOTDIR: "correct the path",
    errno.ENAMETOOLONG: "use a shorter name",
    errno.EISDIR: "name a file",
    errno.EEXIST: "name another",
    errno.ELOOP: "correct the link",
    errno.EACCES: "change its permissions, or name another",
    errno.EPERM: "change its permissions, or name another",
    errno.EROFS: "write to another disk",
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some space, or write to another disk",
    errno.EMFILE: "raise the limit with `ulimit -n`",
    errno.ENFILE: "close other programs",
    errno.EIO: "read it from another copy, or write to another disk",
}
"""What to do about an error of the system, by its number. Errors of ours say so in their own words."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (that of the process by default), and return the exit code. Raises nothing."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = words[:1] == ["--debug"]
    # a command ends before cyclic garbage is worth collecting; at Python's default threshold that takes 7 % of a check
    gc.set_threshold(200_000)
    # pydantic looks through every installed distribution for plugins (about 30 ms); hbspec uses none
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with guarded(sys.stdout, sys.stderr) as (out, _):
        return _code(words[debug:], debug, out)


def _code(words: Sequence[str], debug: bool, out: Outlet) -> int:
    try:
        code = _run(words)
        out.flush()
    except (MisuseError, PriceFileError) as reason:
        return _said(f"hbspec: {reason}", UNUSABLE)
    except ConfigurationError as wrong:
        from hbspec.cli.outcome import refuse

        refuse(Report(files=(), diagnostics=wrong.diagnostics))
        return UNUSABLE
    except KeyboardInterrupt:
        return _said("", INTERRUPTED)
    except BrokenPipeError:
        out.drop()
        return BROKEN_PIPE
    except OSError as reason:
        out.drop()
        return _said(f"hbspec: {reason.filename or 'output'}: {_advised(reason)}", UNUSABLE)
    except Exception as fault:
        if debug:
            from traceback import print_exc

            print_exc()
        return _said(
            f"hbspec {__version__}: internal error ({type(fault).__name__}): this is a bug in hbspec, not in your "
            "spec. Please report it with the spec and this line; `hbspec --debug …` shows the traceback.",
            FAULT,
        )
    return code


def _advised(reason: OSError) -> str:
    said = reason.strerror or str(reason)
    action = ACTIONS.get(reason.errno or 0)
    return said if action is None or said != os.strerror(reason.errno or 0) else f"{said}; {action}"


def _run(words: Sequence[str]) -> int:
    call: Call | int | None = plain.read(words)
    if call is None:
        from hbspec.cli import full

        call = full.read(words)
    return call if isinstance(call, int) else call.run()


def _said(text: str, code: int) -> int:
    sys.stderr.write(f"{shown(text)}\n")
    return code
