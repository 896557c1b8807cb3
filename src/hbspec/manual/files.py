"""Defects of the folder that a command writes to: HB045 to HB049."""

from __future__ import annotations

from hbspec.manual.page import Page

NOT_OURS = Page(
    "HB045",
    "not-our-file",
    "The output folder holds files that an earlier compile did not write, or that have changed since.",
    "`compile` replaces its folder as a whole, so that it holds one complete compile at every moment. `.hbspec.json` "
    "lists the files that were written, with the SHA-256 of each. A file that is not listed, or that has changed "
    "since, is somebody's work and is never removed, not even with `--force`.",
    "# ./job holds your file notes.txt\n# hbspec compile spec.yaml --target launch -o job",
    "# hbspec compile spec.yaml --target launch -o build/job",
)
NOT_A_FOLDER = Page(
    "HB046",
    "not-a-folder",
    "The output folder is a file or a symbolic link.",
    "Through a link, the files would end up in another place than the command line names.",
    "# README.md is a file\n# hbspec compile spec.yaml --target launch -o README.md",
    "# hbspec compile spec.yaml --target launch -o build/job",
)
NOT_REPLACEABLE = Page(
    "HB047",
    "folder-not-replaceable",
    "The output folder cannot be replaced.",
    "The working folder of a command, a mount point, or a folder in another layer of a container's file system cannot "
    "be renamed. Without a rename, an interrupted compile would leave half of its files.",
    "# hbspec compile spec.yaml --target launch -o .",
    "# hbspec compile spec.yaml --target launch -o ./job",
)

PAGES = {page.code: page for page in (NOT_OURS, NOT_A_FOLDER, NOT_REPLACEABLE)}
