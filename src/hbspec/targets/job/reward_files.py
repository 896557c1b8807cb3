"""The author's files of reward functions, beside the shipped script."""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.showing.secrets import looks_secret
from hbspec.source.attachments import AttachmentError, read_text
from hbspec.targets.job.shipped_files import training_files
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.needs import LoweringError, refusal


def reward_files(analysis: Analysis) -> Iterator[Artifact]:
    """Each file that `reward.functions` names, once, under its last name.

    Raises:
        LoweringError: a file cannot be read, contains a secret, or has the name of another file beside it.
    """
    reward, beside = analysis.spec.reward, dict[str, str]()
    if reward is None:
        return
    taken = {file.path for file in training_files()}
    for number, named in enumerate(reward.functions):
        route = ("reward", "functions", number)
        path = named.rpartition(":")[0].removeprefix("./")
        name = path.rpartition("/")[2]
        if beside.get(name) == path:
            continue
        if name in taken or name in beside:
            message = f"{path} has the name of another file beside the script"
            raise LoweringError([refusal("HB041", route, message, "rename the file")])
        try:
            content = read_text(analysis.document, route, path)
        except AttachmentError as reason:
            raise LoweringError([refusal("HB041", route, str(reason), "name a file inside the project")]) from None
        if looks_secret(content):
            message = f"{path} appears to contain a secret"
            raise LoweringError(
                [refusal("HB042", route, message, "remove the secret; a job gets credentials from its role")]
            )
        beside[name] = path
        yield Artifact(name, content.encode())
