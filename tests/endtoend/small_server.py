"""A server with the command line and the chat completions of vLLM's, of transformers and peft on a CPU.

It takes the arguments that name what is served, and leaves the others, which are about speed and memory; it prints its
port, which is a free one for `--port 0`. A request that
names no model is answered by the base model, as by vLLM. Answers are greedy, whatever the temperature.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

HANDLER = "CUSTOM_FASTAPI_INVOCATION_HANDLER"
"""Without it vLLM takes adapters at `/invocations` from a header alone, which inference components have."""
ROUTES = ("/v1/chat/completions", "/invocations")


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("vllm")
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("model")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--served-model-name", nargs="+")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--enable-lora", action="store_true")
    parser.add_argument("--lora-modules", nargs="+", type=json.loads, default=[])
    parser.add_argument("--chat-template", type=Path)
    return parser.parse_known_args(words)[0]


class Answers:
    """The models of one server: the whole one by its served names, the adapters by their own."""

    def __init__(self, given: argparse.Namespace) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.names = given.served_model_name or [given.model]
        self.adapters = [entry["name"] for entry in given.lora_modules]
        assert bool(self.adapters) == given.enable_lora
        self.tokenizer = AutoTokenizer.from_pretrained(given.model)
        if given.chat_template:
            self.tokenizer.chat_template = given.chat_template.read_text()
        self.model = AutoModelForCausalLM.from_pretrained(given.model, dtype=getattr(torch, given.dtype))
        for entry in given.lora_modules:
            self.model = PeftModel.from_pretrained(self.model, entry["path"], adapter_name=entry["name"])
        self.model.eval()

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and the body of the answer to a request."""
        name = body.get("model") or self.names[0]
        if name not in (*self.names, *self.adapters):
            return 404, {"error": {"message": f"The model `{name}` does not exist.", "code": 404}}
        base = self.adapters and name in self.names
        with self.model.disable_adapter() if base else nullcontext():
            tokens = list(self._tokens(body["messages"], body.get("max_tokens", 16)))
        content = "".join(entry["token"] for entry in tokens)
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "length"}
        if body.get("logprobs"):
            choice["logprobs"] = {"content": tokens}
        return 200, {"object": "chat.completion", "model": name, "choices": [choice]}

    def _tokens(self, messages: list[dict[str, str]], most: int) -> Any:
        import torch

        encoded = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
        ids = encoded["input_ids"] if not isinstance(encoded, torch.Tensor) else encoded
        for _ in range(most):
            with torch.no_grad():
                logprobs = self.model(input_ids=ids).logits[0, -1].float().log_softmax(-1)
            best = int(logprobs.argmax())
            if best == self.tokenizer.eos_token_id:
                return
            yield {"token": self.tokenizer.decode([best]), "logprob": float(logprobs[best])}
            ids = torch.cat([ids, torch.tensor([[best]])], dim=1)


class Handler(BaseHTTPRequestHandler):
    answers: Answers

    def do_GET(self) -> None:
        self._send(200 if self.path in ("/health", "/ping") else 404, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/invocations" and self.answers.adapters and HANDLER not in os.environ:
            body["model"] = self.headers.get("X-Amzn-SageMaker-Adapter-Identifier")
        self._send(*(self.answers.answer(body) if self.path in ROUTES else (404, {})))

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main(words: list[str]) -> None:
    given = arguments(words)
    Handler.answers = Answers(given)
    server = HTTPServer((given.host, given.port), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
