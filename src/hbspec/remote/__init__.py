"""Data files on S3 and on the Hugging Face Hub, read as a stream; nothing is kept on the disk."""

from __future__ import annotations

from hbspec.remote.failure import RemoteError
from hbspec.remote.urls import remote_files

__all__ = ["RemoteError", "remote_files"]
