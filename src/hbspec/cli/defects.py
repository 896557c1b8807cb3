"""What can be wrong outside of a spec: in the folder that a command writes to, and in data files. HB045 to HB050."""

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

DATA_LINE = Defect(
    "HB050",
    "data-line-refused",
    "A line of a data file is no conversation.",
    "Training reads one JSON object a line, with a list `messages` of maps that hold a `role` and a text `content`. "
    "What is anything else stops the job when it is paid for, or is left out without a word.",
    '# train.jsonl: {"prompt": "Who leads the league?"}\n# hbspec data check train.jsonl',
    '# train.jsonl: {"messages": [{"role": "user", "content": "Who leads the league?"}, …]}\n'
    "# hbspec data check train.jsonl",
)

DEFECTS = {defect.code: defect for defect in (NOT_OURS, NOT_A_FOLDER, DATA_LINE)}
