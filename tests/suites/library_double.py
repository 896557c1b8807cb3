"""What hbspec uses of lm-evaluation-harness 0.4.13, for a task of the tests: its interface, and nothing behind it.

    https://github.com/EleutherAI/lm-evaluation-harness/blob/main/docs/interface.md

`test_suites_library_tasks.py` asks the double and, where it is installed, the library the same.
"""

from __future__ import annotations

import json
from pathlib import Path

SUMS = """
task: local_sums
dataset_path: json
dataset_kwargs: {data_files: {test: sums.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "[{{behaviour}}] What is {{a}} + {{b}}?"
doc_to_target: "{{total}}"
generation_kwargs: {until: ["\\n\\n", "Question:"], max_gen_toks: 16, do_sample: false}
filter_list:
  - name: number
    filter: [{function: regex, regex_pattern: "(-?\\\\d+)"}, {function: take_first}]
  - name: whole
    filter: [{function: take_first}]
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""
LIKELIHOOD = SUMS.replace("local_sums", "local_likelihood").replace("generate_until", "loglikelihood")
LESS = SUMS.replace("local_sums", "local_less").replace("higher_is_better: true", "higher_is_better: false")
BEHAVIOURS = ("right", "wrong", "truncated", "two", "injection", "400")


def lay_out(folder: Path, documents: int = 24) -> Path:
    """The folder of the tests' tasks."""
    folder.mkdir()
    for name, text in (("sums", SUMS), ("likelihood", LIKELIHOOD), ("less", LESS)):
        (folder / f"{name}.yaml").write_text(text)
    rows = [
        {"behaviour": BEHAVIOURS[number % len(BEHAVIOURS)], "a": number, "b": number, "total": str(2 * number)}
        for number in range(documents)
    ]
    (folder / "sums.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


def install(folder: Path) -> None:
    """Write the double as the package `lm_eval`."""
    for name, text in MODULES.items():
        path = folder / "lm_eval" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


MODULES = {
    "__init__.py": "",
    "api/__init__.py": "",
    "api/model.py": "class LM: pass\n",
    "tasks.py": """
from pathlib import Path
import yaml

class TaskManager:
    def __init__(self, include_path=None, include_defaults=True):
        assert include_defaults is (include_path is None)
        files = Path(include_path).glob("*.yaml") if include_path else ()
        self.known = {found["task"]: found for found in map(yaml.safe_load, (file.read_text() for file in files))}
""",
    "evaluator.py": """
import json, re
from types import SimpleNamespace

def simple_evaluate(
    *, model, tasks, task_manager, apply_chat_template, bootstrap_iters, log_samples, torch_random_seed
):
    (name,) = tasks
    if name not in task_manager.known:
        raise KeyError(f"Spec '{name}' is not a registered task/group/tag name or valid YAML path")
    config = task_manager.known[name]
    documents = [json.loads(line) for line in open(config["dataset_kwargs"]["data_files"]["test"])]
    made = lambda key, row: re.sub("{{(.+?)}}", lambda name: str(row[name[1]]), config[key])
    requests = []
    for number, row in enumerate(documents):
        context = model.apply_chat_template([{"role": "user", "content": made("doc_to_text", row)}])
        requests.append(SimpleNamespace(doc_id=number, args=(context, dict(config["generation_kwargs"]))))
    replies = getattr(model, config["output_type"])(requests)
    (metric,) = (one["metric"] for one in config["metric_list"])
    samples = []
    for filters in config["filter_list"]:
        for row, request, reply in zip(documents, requests, replies, strict=True):
            for one in filters["filter"]:
                if one["function"] == "regex":
                    found = re.findall(one["regex_pattern"], reply)
                    reply = found[0] if found else "[invalid]"
            samples.append({
                "doc_id": request.doc_id, "arguments": [request.args], "filter": filters["name"], "metrics": [metric],
                "doc_hash": json.dumps(row), "target_hash": row["total"],
                metric: float(reply == made("doc_to_target", row)),
            })
    return {
        "samples": {name: samples}, "configs": {name: {**config, "repeats": 1}}, "lm_eval_version": "double",
        "versions": {name: 1.0}, "higher_is_better": {name: {metric: config["metric_list"][0]["higher_is_better"]}},
    }
""",
}
