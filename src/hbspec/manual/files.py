"""What can be wrong in the folder that a command writes to: HB045 to HB049."""

from __future__ import annotations

from hbspec.manual.page import Page

NOT_OURS = Page(
    "HB045",
    "not-our-file",
    "The folder that would be replaced holds files that an earlier compile did not write, or that have changed since.",
    "`compile` replaces its folder as a whole, so that at every moment it holds one complete compile. What it wrote is "
    "listed in `.hbspec.json`, with the SHA-256 of each file. A file that is not in that list, or that has changed "
    "since, is somebody's work and is never removed; `--force` does not change that.",
    "# a file notes.txt of yours lies in ./job\n# hbspec compile spec.yaml --target launch -o job",
    "# hbspec compile spec.yaml --target launch -o build/job",
)
NOT_A_FOLDER = Page(
    "HB046",
    "not-a-folder",
    "A folder that would be written to is a file, or a symbolic link.",
    "Through a link the files would land somewhere else than the command line says.",
    "# README.md is a file\n# hbspec compile spec.yaml --target launch -o README.md",
    "# hbspec compile spec.yaml --target launch -o build/job",
)
NOT_REPLACEABLE = Page(
    "HB047",
    "folder-not-replaceable",
    "The folder cannot be replaced by another one.",
    "A folder that a command runs in, a mount point, or a folder of another layer of a container's file system cannot "
    "be renamed, and without that a compile that is interrupted would leave half of its files.",
    "# hbspec compile spec.yaml --target launch -o .",
    "# hbspec compile spec.yaml --target launch -o ./job",
)

PAGES = {page.code: page for page in (NOT_OURS, NOT_A_FOLDER, NOT_REPLACEABLE)}
