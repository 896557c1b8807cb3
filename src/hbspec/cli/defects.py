"""What can be wrong in the folder that a command writes to: HB045 to HB049."""

from __future__ import annotations

from hbspec.source.defects import Defect

NOT_OURS = Defect(
    "HB045",
    "not-our-file",
    "A file that would be written is already there, and is not what an earlier compile wrote.",
    "`compile` notes what it writes in `.hbspec.json`, with the SHA-256 of each file. A file that is not in that list, "
    "or that has changed since, is somebody's work, and is never written over or removed.",
    "# a file train.py of your own lies in ./job\n# hbspec compile spec.yaml --target launch -o job",
    "# hbspec compile spec.yaml --target launch -o build/job",
)
NOT_A_FOLDER = Defect(
    "HB046",
    "not-a-folder",
    "A folder that would be written to is a file, or a symbolic link.",
    "Through a link the files would land somewhere else than the command line says.",
    "# README.md is a file\n# hbspec compile spec.yaml --target launch -o README.md",
    "# hbspec compile spec.yaml --target launch -o build/job",
)

DEFECTS = {defect.code: defect for defect in (NOT_OURS, NOT_A_FOLDER)}
