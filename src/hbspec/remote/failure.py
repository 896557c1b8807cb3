"""What keeps a remote file from being read, as a message and one action."""

from __future__ import annotations

import errno

INSTALL = ("a package that reads it is not installed", 'run `pip install "hbspec[remote]"`')
AGAIN = "run the command again"


class RemoteError(OSError):
    """A remote file cannot be read, or not to its end.

    Args:
        url: where, without credentials.
        message: what is wrong.
        action: what to do.
    """

    def __init__(self, url: str, message: str, action: str) -> None:
        super().__init__(errno.EIO, f"{message}; {action}", url)
