"""A checkpoint on this machine, asked by transformers: whole weights, or adapters beside their base model.

Everything heavy is imported where a model is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asking import DeniedError, Reply

ADAPTERS = "adapter_config.json"
BLOCK_BYTES = 2**20


class LocalModel:
    """A model of a folder, which answers one request at a time, greedily.

    Args:
        folder: as `save_pretrained` writes it, with its tokenizer.

    Raises:
        DeniedError: the folder holds no model that transformers loads.
    """

    at_once = 1

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._folder, self._torch = folder, torch
        how = {"dtype": "auto", "device_map": "auto" if torch.cuda.is_available() else None}
        try:
            self._files = files_digest(folder)
            self._tokenizer = AutoTokenizer.from_pretrained(folder)
            if (folder / ADAPTERS).is_file():
                from peft import AutoPeftModelForCausalLM

                model = AutoPeftModelForCausalLM.from_pretrained(folder, **how)
            else:
                model = AutoModelForCausalLM.from_pretrained(folder, **how)
        except (OSError, ValueError, ImportError, RuntimeError) as reason:
            first = (str(reason).splitlines() or [type(reason).__name__])[0]
            raise DeniedError(f"{folder} cannot be loaded as a model: {first}") from None
        if not self._tokenizer.chat_template:
            raise DeniedError(f"{folder} has no chat template: save the tokenizer that the job wrote beside the model")
        self._model = model.eval()

    @property
    def told(self) -> Mapping[str, Any]:
        """The folder's name, and the digest of its files."""
        return {"kind": "checkpoint", "against": self._folder.name, "files": self._files, "temperature": 0.0}

    def ask(self, messages: Sequence[Mapping[str, str]], max_tokens: int, seed: int, stop: Sequence[str] = ()) -> Reply:
        """The reply to a conversation; see `Asked.ask`. Greedy, so that the seed changes nothing."""
        del seed
        encoded = self._tokenizer.apply_chat_template(
            [dict(message) for message in messages], add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(self._model.device)
        length = encoded["input_ids"].shape[1]
        how = {"stop_strings": list(stop), "tokenizer": self._tokenizer} if stop else {}
        with self._torch.inference_mode():
            found = self._model.generate(**encoded, max_new_tokens=max_tokens, do_sample=False, **how)[0][length:]
        ended = len(found) < max_tokens or int(found[-1]) in self._ends()
        text = self._tokenizer.decode(found, skip_special_tokens=True)
        return Reply(text, "stop" if ended else "length", len(found), None)

    def _ends(self) -> set[int]:
        """Tokens that end an answer."""
        ends = self._model.generation_config.eos_token_id
        return set(ends) if isinstance(ends, list) else {ends, self._tokenizer.eos_token_id}


def files_digest(folder: Path) -> str:
    """SHA-256 of the names and the contents of a folder's files, without those that are hidden."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        one = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(BLOCK_BYTES):
                one.update(block)
        whole.update(f"{path.relative_to(folder).as_posix()} {one.hexdigest()}\n".encode())
    return whole.hexdigest()
