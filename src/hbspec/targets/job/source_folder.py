"""The source folder of a job: the shipped script, or the author's files without those that must stay local."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePath

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route
from hbspec.plan.shipped_script import LIGER_KERNEL
from hbspec.shipped import templates
from hbspec.showing.secrets import looks_secret, redact_forms
from hbspec.source.paths import PathError, contained, read_bytes
from hbspec.targets.job.reward_files import reward_files
from hbspec.targets.job.shipped_files import training_files
from hbspec.targets.lowering.artifact import Artifact, json_artifact
from hbspec.targets.lowering.needs import LoweringError, refusal

MAX_FILES = 2_000
MAX_BYTES = 20 * 2**20
"""Limits on the folder: a script with its imports is far smaller; data and weights have separate channels."""
LEFT_OUT = (
    ".*", "__pycache__", "*.pyc", "*.pem", "*.key", "*.p12", "*.pfx", "id_rsa*", "id_ed25519*", "*.ppk",
    "credentials*", "node_modules", "build", "dist", "venv",
)  # fmt: skip
"""Patterns of files that are not copied: version control, caches, environments, key files; `.*` has `.env`, `.git`.
Capitals and small letters are the same."""
READABLE = re.compile(rb"[\t\r\n -~]{15,}")
"""A run of characters in a binary file; no form of a credential is shorter."""
DEEPSPEED = "deepspeed.json"
"""File name of the author's DeepSpeed JSON beside the shipped script."""
CHAT_TEMPLATE = "chat_template.jinja"
"""File name of the job's chat template beside the shipped script."""
LAUNCHER = "launcher.py"
LAUNCHER_BESIDE_OWN = "hbspec_launcher.py"
"""File name of the shipped launcher beside the author's files."""
JOB_MODULE = "hbspec_job"
"""The module that the author's script may import: a folder of that name, with the shipped modules that it needs."""
JOB_MODULES = (
    "broken", "checkpoints", "completeness", "documents", "evaluating", "failure", "fingerprint", "folder_lock",
    "learned", "leaving", "manifest", "metrics", "own_fingerprint", "parsers", "records", "removal", "run_record",
    "saving", "settings", "stopping", "tasks", "told", "watches",
)  # fmt: skip
SECRETS = "with_secrets.py"
SECRETS_BESIDE_OWN = "hbspec_with_secrets.py"
"""File name of the shipped program that reads secrets, beside the author's files."""


def source_folder(analysis: Analysis) -> list[Artifact]:
    """Every file of the folder: those of the shipped script, or the author's and the launcher of its processes.

    The shipped script finds the author's DeepSpeed JSON and the chat template beside it; the author's own script is
    told where they are by the author.

    Raises:
        LoweringError: the author's folder cannot be read, contains a secret, is too large, or contains a file with the
            launcher's name.
    """
    if analysis.spec.script is None:
        shipped = (Artifact(file.path, file.content + _more(analysis, file.path)) for file in training_files())
        return [*shipped, *_deepspeed(analysis), *_chat_template(analysis), *reward_files(analysis)]
    own = list(_own(analysis, analysis.spec.script.source_dir))
    _require_deepspeed(analysis, own)
    refuse_name(own, LAUNCHER_BESIDE_OWN, "the launcher that is added to it")
    added = {LAUNCHER_BESIDE_OWN: LAUNCHER}
    if analysis.spec.sagemaker and analysis.spec.sagemaker.secrets:
        refuse_name(own, SECRETS_BESIDE_OWN, "the program that is added to it and reads secrets")
        added[SECRETS_BESIDE_OWN] = SECRETS
    added |= _job_module(own)
    return [*own, *(Artifact(name, (templates() / shipped).read_bytes()) for name, shipped in added.items())]


def _job_module(own: Sequence[Artifact]) -> dict[str, str]:
    """The files of `hbspec_job`, and what each is of the shipped ones; none where no file of the author's names it."""
    if not any(file.path.endswith(".py") and JOB_MODULE.encode() in file.content for file in own):
        return {}
    for file in own:
        if file.path.partition("/")[0].removesuffix(".py") == JOB_MODULE:
            message = f"{file.path} in script.source_dir has the name of the module that is added to it"
            raise LoweringError([refusal("HB041", ("script", "source_dir"), message, "rename the file")])
    files = {f"{JOB_MODULE}/{name}.py": f"{name}.py" for name in JOB_MODULES}
    return {f"{JOB_MODULE}/__init__.py": f"{JOB_MODULE}.py", **files}


def _more(analysis: Analysis, name: str) -> bytes:
    """What a job adds to a shipped file: a package that only some settings need."""
    needed = name == "requirements.txt" and analysis.plan.training.liger
    return f"liger-kernel=={LIGER_KERNEL}   # Triton kernels of norms, rotations and MLPs\n".encode() if needed else b""


def _deepspeed(analysis: Analysis) -> Iterator[Artifact]:
    """The author's DeepSpeed JSON, where there is one."""
    if analysis.deepspeed_json is None:
        return
    file = json_artifact(DEEPSPEED, analysis.deepspeed_json)
    _refuse_secret(file, ("instance", "deepspeed"), analysis.spec.instance.deepspeed)
    yield file


def _chat_template(analysis: Analysis) -> Iterator[Artifact]:
    """The chat template that the spec names, where it names one."""
    named, text, route = analysis.spec.data.chat_template, analysis.chat_template, ("data", "chat_template")
    if named is None:
        return
    if text is None:  # compiled by force: the job would train in the model's own template
        message = f"{named} cannot be read, so that the job would not have it"
        raise LoweringError([refusal("HB041", route, message, "name a shipped template or a readable file")])
    file = Artifact(CHAT_TEMPLATE, text.encode())
    _refuse_secret(file, route, named)
    yield file


def _refuse_secret(file: Artifact, route: Route, named: str | None) -> None:
    """Raise `LoweringError` if a file that the spec names appears to contain a secret."""
    if looks_secret(file.content.decode()):
        message = f"{named} appears to contain a secret"
        action = "remove the secret; a job gets credentials from its role"
        raise LoweringError([refusal("HB042", route, message, action)])


def _require_deepspeed(analysis: Analysis, own: Iterable[Artifact]) -> None:
    """Raise `LoweringError` if the author's folder lacks the DeepSpeed JSON: their script could not read it."""
    named, route = analysis.spec.instance.deepspeed, ("instance", "deepspeed")
    if named is not None and all(file.path.rpartition("/")[2] != PurePath(named).name for file in own):
        message = f"{named} is not in script.source_dir, so that the job would not have it"
        raise LoweringError([refusal("HB041", route, message, "copy the file into script.source_dir")])


def refuse_name(files: Iterable[Artifact], name: str, owner: str) -> None:
    """Raise `LoweringError` if the author's folder contains a file with a reserved name.

    Args:
        files: the files of the author's folder.
        name: the reserved name.
        owner: the file that has the name, in words that follow "has the name of".
    """
    if any(file.path == name for file in files):
        message = f"{name} in script.source_dir has the name of {owner}"
        raise LoweringError([refusal("HB041", ("script", "source_dir"), message, "rename the file")])


def _own(analysis: Analysis, source_dir: str) -> Iterator[Artifact]:
    route = ("script", "source_dir")
    try:
        document = analysis.document
        root = contained(source_dir, document.origin(route), document.root, document.allow_outside, folder=True)
    except PathError as reason:
        raise LoweringError([refusal("HB041", route, str(reason), "name a folder inside the project")]) from None
    size = count = 0
    problems: list[Finding] = []
    for path in _walk(root):
        name = path.relative_to(root).as_posix()
        try:
            content = read_bytes(path, MAX_BYTES)
        except PathError as reason:
            message = f"{name} in {source_dir} {reason}"
            raise LoweringError([refusal("HB041", route, message, "remove the file, or make it readable")]) from None
        size, count = size + len(content), count + 1
        if count > MAX_FILES or size > MAX_BYTES:
            message = f"{source_dir} contains more than {MAX_FILES} files or {MAX_BYTES // 2**20} MiB"
            raise LoweringError([refusal("HB041", route, message, "name a folder that contains only the script")])
        if looks_secret(name):
            action = "rename the file: names are in submit.sh, and in S3"
            problems.append(refusal("HB042", route, f"the name {name} appears to contain a secret", action))
        if _holds_secret(content):
            message = f"{name} appears to contain a secret"
            problems.append(refusal("HB042", route, message, "remove the secret; a job gets credentials from its role"))
        yield Artifact(name, content)
    if problems:
        raise LoweringError(problems)


def _holds_secret(content: bytes) -> bool:
    """Whether a file appears to contain a secret, as UTF-8 or UTF-16; in other binary files, forms alone are sought."""
    if b"\0" not in content:
        return looks_secret(content.decode(errors="ignore"))
    bare, *halves = (b"\n".join(READABLE.findall(each)).decode() for each in (content, content[::2], content[1::2]))
    return redact_forms(bare) != bare or any(map(looks_secret, halves))


def _walk(folder: Path) -> Iterator[Path]:
    """The regular files below a folder, sorted by path; links are not followed."""
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name.lower(), pattern) for pattern in LEFT_OUT) or path.is_symlink():
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path
