"""Files of the Hugging Face Hub, read by huggingface_hub's file system of fsspec.

https://huggingface.co/docs/huggingface_hub/guides/hf_file_system says how a path is written, and its revision.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from hbspec.remote.failure import AGAIN, INSTALL, RemoteError
from hbspec.remote.stream import streaming
from hbspec.remote.urls import Listed

PIECE_BYTES = 2**20
"""Asked for at once of a Parquet file."""
SIGN_IN = "sign in with `hf auth login`, or set HF_TOKEN"
NOT_NAMED = ("does not name a file on the Hub", "write hf://datasets/ORG/NAME/FILE")
NAMES = {
    "GatedRepoError": ("access is gated", f"accept the terms on its page, and {SIGN_IN}"),
    "RepositoryNotFoundError": ("the repository does not exist, or is private", f"correct its name, or {SIGN_IN}"),
    "RevisionNotFoundError": ("the revision does not exist", "correct what follows @"),
    "OfflineModeIsEnabled": ("HF_HUB_OFFLINE keeps huggingface_hub off the network", "unset it"),
    "HFValidationError": NOT_NAMED,
    "HfUriError": NOT_NAMED,
    "ConnectError": ("the Hub cannot be reached", f"check the network, and {AGAIN}"),
    "TimeoutException": ("the Hub did not answer in time", f"check the network, and {AGAIN}"),
    "RemoteProtocolError": ("the transfer ended early", AGAIN),
    "ReadError": ("the transfer ended early", AGAIN),
}
"""What the exceptions of huggingface_hub, and of httpx below it, mean for one who reads.

Those that inherit from another come before it."""
SIGNED_OUT = (401, 403)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the Hub.

    Attributes:
        url: `hf://datasets/ORG/NAME@REVISION/PATH`.
        size: in bytes.
    """

    url: str
    size: int

    def open(self, *, anywhere: bool = False) -> AbstractContextManager[BinaryIO]:
        """As `ByteSource` has it."""
        return self._open(anywhere)

    @contextmanager
    def _open(self, anywhere: bool) -> Iterator[BinaryIO]:
        with _asked(self.url):
            # a block of 0 bytes is a stream: one request for all
            file = _system().open(self.url, "rb", block_size=PIECE_BYTES if anywhere else 0)

        def fetch(at: int, size: int) -> bytes:
            with _asked(self.url):
                file.seek(at)
                some: bytes = file.read(size)
                return some

        with file, streaming(self.url, self.size, fetch) as stream:
            yield stream


def listed(url: str) -> Iterator[Listed]:
    """The file at a URL, or all below a folder whose URL ends in `/`.

    Raises:
        RemoteError: there is none, or it cannot be asked for.
    """
    with _asked(url):
        system = _system()
        if not url.endswith("/"):
            entry = system.info(url)
            if entry["type"] != "file":
                raise RemoteError(url, "is a folder", "end it in / to read all of its data files")
            yield Listed(url, url.rpartition("/")[2], entry["size"], HubFile(url, entry["size"]))
            return
        start = system.resolve_path(url).unresolve().rstrip("/")
        for path, entry in system.find(url, detail=True).items():
            below = path.removeprefix(f"{start}/")
            one = f"{url}{below}"
            yield Listed(one, below, entry["size"], HubFile(one, entry["size"]))


def _system() -> Any:
    from huggingface_hub import HfFileSystem
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # it asks again by itself, and would say so each time
    return HfFileSystem()


@contextmanager
def _asked(url: str) -> Iterator[None]:
    """A block that asks the Hub; what huggingface_hub and its client of HTTP raise becomes a `RemoteError`."""
    try:
        yield
    except (RemoteError, GeneratorExit):
        raise
    except ImportError:
        raise RemoteError(url, *INSTALL) from None
    except Exception as reason:
        raise RemoteError(url, *_said(reason)) from None


def _said(reason: BaseException) -> tuple[str, str]:
    """What is wrong, and one action: of the exception, or of the one that it was raised from."""
    chain = [reason]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    kinds = [kind.__name__ for each in chain for kind in type(each).__mro__]
    for name, said in NAMES.items():
        if name in kinds:
            return said
    status = next((each.response.status_code for each in chain if hasattr(each, "response")), None)
    if status in SIGNED_OUT:
        return f"the Hub refuses it ({status})", SIGN_IN
    if "FileNotFoundError" in kinds or "EntryNotFoundError" in kinds:
        return "no such file", "correct the path, or end a folder in /"
    if status is not None:
        return f"the Hub answered {status}", AGAIN
    if isinstance(reason, ValueError | NotImplementedError):  # of a path that is too short
        return NOT_NAMED
    return f"the Hub did not answer as expected ({type(reason).__name__})", f"check the network, and {AGAIN}"
