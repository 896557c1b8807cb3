"""`docker-run.sh`: the endpoint's container, started as SageMaker starts it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from shlex import quote

from hbspec.targets.aws.engine_settings import BASE_FOLDER, MODEL_FOLDER
from hbspec.targets.lowering.shell import HERE, opening
from hbspec.targets.own_machine.places import PORT, base_folder, first_answer, model_folder, said, usage, whole

REGISTRY = re.compile(r"\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.[a-z.]+")
HUB = "/opt/hub"
"""Where the container finds what was downloaded from the Hub before."""


def container_lines(
    about: str, image: str, environment: Mapping[str, str], *, base: str | None, merged: bool, standing: str
) -> list[str]:
    """The lines of `docker-run.sh`.

    SageMaker starts a container with the argument `serve`, and asks it at `/invocations` of port 8080:
    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html

    Args:
        about: a sentence that says what the script does.
        image: the container's.
        environment: its variables.
        base: id of the base model on the Hub; None where it is a folder, or the model is whole.
        merged: whether the model is whole.
        standing: what is said at the start of the model's evaluation; empty without one.
    """
    notes = [
        *usage("docker-run.sh", base=base, merged=merged),
        "# Further arguments go to docker run, before the image. HF_TOKEN is the Hub's token, for gated weights.",
    ]
    folders = [("$model", MODEL_FOLDER, ",readonly")]
    if not merged and base is None:
        folders.append(("$base", BASE_FOLDER, ",readonly"))
    return [
        *opening(about, *notes),
        f"here=$(cd -- {HERE} && pwd)",
        *model_folder(merged=merged),
        *(base_folder() if not merged and base is None else ()),
        *(_hub() if base is not None else ()),
        f"image={quote(image)}",
        *_pulled(image),
        *said(standing),
        *first_answer("invocations"),
        f'exec docker run --rm --gpus all --ipc host --publish "127.0.0.1:{PORT}:8080" \\',
        *(f'  --mount "type=bind,source={source},target={target}{more}" \\' for source, target, more in folders),
        *([f'  --mount "type=bind,source=$hub,target={HUB}" --env HF_HOME={HUB} --env HF_TOKEN \\'] if base else []),
        *(f"  --env {quote(f'{name}={value}')} \\" for name, value in environment.items()),
        '  "$@" "$image" serve',
    ]


def _hub() -> Iterator[str]:
    yield "hub=${HF_HOME:-$HOME/.cache/huggingface}"
    yield 'mkdir -p -- "$hub"'
    yield from whole("hub")


def _pulled(image: str) -> Iterator[str]:
    """Lines that fetch the image, or say how to log in to its registry."""
    registry = REGISTRY.match(image)
    yield 'if ! docker image inspect "$image" > /dev/null 2>&1 && ! docker pull "$image"; then'
    if registry:
        region, host = quote(registry[1]), quote(registry[0])
        login = f"aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {host}"
        yield "  echo 'the image is in a registry of AWS, which asks for a login:' >&2"
        yield f"  echo {quote(f'  {login}')} >&2"
    else:
        yield "  echo 'docker login may be needed' >&2"
    yield "  exit 1"
    yield "fi"
