"""Generate `src/hbspec/targets/aws/images/images.json` from the image tables in the sagemaker-core wheel of AWS.

Download the wheel first (`pip download --no-deps sagemaker-core==2.27.0 -d DIR`), then
`python tools/generate_image_table.py DIR/sagemaker_core-2.27.0-py3-none-any.whl --checked 2026-11-22`.
"""

from __future__ import annotations

import argparse
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[1] / "src" / "hbspec" / "targets" / "aws" / "images" / "images.json"
CONFIG = "sagemaker/core/image_uri_config"

# Name in the file, framework, its version in the wheel's table, and the path to that version's entry. All images are
# the newest of their families, but for the last one of vLLM that quantises with bitsandbytes (vllm-project/vllm#43529);
# TGI (huggingface-llm) is left out, because it is in maintenance mode.
IMAGES = (
    ("huggingface", "huggingface", "5.3.0", ("training", "versions", "5.3.0", "pytorch2.9.0")),
    ("djl-lmi", "djl-lmi", "0.38.0", ("versions", "0.38.0")),
    ("huggingface-vllm", "huggingface-vllm", "0.29.0", ("inference", "versions", "0.29.0")),
    ("vllm", "vllm", "0.30.0", ("inference", "versions", "0.30.0")),
    ("vllm-bitsandbytes", "vllm", "0.27.1", ("inference", "versions", "0.27.1")),
)


def entries(wheel: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The name, the version and the wheel's entry of each image in `IMAGES`.

    Raises:
        KeyError: the wheel lacks a framework or a version.
    """
    with zipfile.ZipFile(wheel) as archive:
        for name, framework, version, path in IMAGES:
            entry = json.loads(archive.read(f"{CONFIG}/{framework}.json"))
            for key in path:
                entry = entry[key]
            yield name, version, entry


def tag(framework: str, version: str, entry: Mapping[str, Any]) -> str:
    """The tag of an image, composed as in `sagemaker.core.image_uris.retrieve` for a GPU instance."""
    prefix = f"2.9.0-transformers{version}" if framework == "huggingface" else entry["tag_prefix"]
    if "container_version" not in entry:
        return str(prefix)
    return f"{prefix}-gpu-{entry['py_versions'][-1]}-{entry['container_version']['gpu']}"


def table(wheel: Path, checked: date) -> dict[str, Any]:
    """The content of the file: the account that serves each region, and the regions of each image.

    Raises:
        ValueError: two images in one region are in different accounts, or a tag lacks the CUDA version.
    """
    accounts: dict[str, str] = {}
    images: dict[str, Any] = {}
    for framework, version, entry in entries(wheel):
        for region, account in entry["registries"].items():
            if accounts.setdefault(region, account) != account:
                raise ValueError(f"{region}: {framework} is in account {account}, others are in {accounts[region]}")
        name = tag(framework, version, entry)
        cuda = re.search(r"-cu(\d+)(\d)\b", name)
        if cuda is None:
            raise ValueError(f"{framework}: {name} lacks a CUDA version")
        images[framework] = {
            "repository": entry["repository"],
            "tag": name,
            "version": version,
            "cuda": f"{cuda[1]}.{cuda[2]}",
            "regions": sorted(entry["registries"]),
        }
    release = wheel.name.split("-")[1]
    return {
        "source": f"sagemaker-core {release} (Apache-2.0), {CONFIG}",
        "checked": checked.isoformat(),
        "accounts": dict(sorted(accounts.items())),
        "images": images,
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument(
        "--checked", type=date.fromisoformat, required=True, help="the day on which the wheel was checked, YYYY-MM-DD"
    )
    arguments = parser.parse_args()
    content = table(arguments.wheel, arguments.checked)
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items() if key != "images"]
    images = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content["images"].items()]
    text = "{\n" + ",\n".join([*lines, '"images": {\n' + ",\n".join(images) + "\n}"]) + "\n}\n"
    TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
