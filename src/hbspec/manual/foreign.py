"""Defects in files of other programs that are judged as they are: one page each."""

from __future__ import annotations

from hbspec.manual.page import Page

_ENTRIES = (
    Page(
        code="HB027",
        name="training-not-estimated",
        summary="A file of another program describes a training that is not estimated.",
        why="Reinforcement learning and some ways of preference tuning hold other models and other rows than "
        "supervised tuning: an estimate of the supervised job would be far too small. DPO, KTO and reward models are "
        "read as `task`.",
        example="base_model: Qwen/Qwen2.5-7B\nadapter: qlora\nload_in_4bit: true\nlearning_rate: 2e-4\nrl: orpo",
        instead="base_model: Qwen/Qwen2.5-7B\nadapter: qlora\nload_in_4bit: true\nlearning_rate: 2e-4",
    ),
    Page(
        code="HB028",
        name="key-of-no-version",
        summary="The program whose file this is does not have this key.",
        why="axolotl and TRL ignore a key that they do not know, so that the job runs with a default; LLaMA-Factory "
        "stops, and so does axolotl at keys that it had once. The keys are those of a version that the message names, "
        "read in the program's own package. HyperPod's are those of its public recipes: a key that none has may still "
        "count, so the verdict is less certain.",
        example="base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nmicro_batch_sise: 2",
        instead="base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nmicro_batch_size: 2",
    ),
    Page(
        code="HB029",
        name="key-not-estimated",
        summary="A key of another program's file influences memory or time, and the estimate does not know it.",
        why="The verdict on memory is only as good as what was understood. A warning says that memory may differ, and "
        "in which direction; a note says that only time may. A key whose influence is not known counts as one that "
        "influences memory. A job is not called too large because of a key that may make it smaller.",
        example="base_model: Qwen/Qwen2.5-7B\nlearning_rate: 2e-5\nmicro_batch_size: 2\ntiled_mlp: true",
        instead="base_model: Qwen/Qwen2.5-7B\nlearning_rate: 2e-5\nmicro_batch_size: 2",
    ),
    Page(
        code="HB036",
        name="value-filled-in-later",
        summary="A value of another program's file is a placeholder.",
        why="What `${oc.env:BATCH}` or `{{ batch }}` becomes is known when the file is used, and nothing is run to "
        "find out. The framework's default is taken meanwhile, if it has one.",
        example='base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nmicro_batch_size: "${BATCH}"',
        instead="base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nmicro_batch_size: 2",
    ),
    Page(
        code="HB037",
        name="keys-of-two-programs",
        summary="A file has keys of two programs.",
        why="A program ignores the other's keys, or stops at them: the job that runs has a default where the author "
        "meant a value. The file is judged as that of the program which most of its keys are of.",
        example="base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nfinetuning_type: lora\n"
        "cutoff_len: 4096",
        instead="base_model: Qwen/Qwen2.5-7B\nadapter: lora\nlearning_rate: 2e-4\nsequence_len: 4096",
    ),
    Page(
        code="HB048",
        name="argument-computed",
        summary="An argument of a call in a Python file or notebook, or a flag of a command line, is computed.",
        why='Nothing of a file is run, so that `os.environ["TYPE"]`, `args.epochs` or the result of a call is not '
        "known, and neither is `$(nproc)`, `$1` or a variable of the shell that the script does not assign. Literals, "
        "names that are bound once, f-strings and mappings of them are read; of a script, variables with a literal and "
        "`${NAME:-literal}`. After a warning, the estimate goes on without the value; a note lists arguments that no "
        "estimate needs.",
        example='# estimator = HuggingFace(instance_type=os.environ["TYPE"])',
        instead='# estimator = HuggingFace(instance_type="ml.g5.2xlarge")',
        references=("https://docs.python.org/3/library/ast.html",),
    ),
    Page(
        code="HB066",
        name="several-jobs-in-file",
        summary="A Python file, a notebook or a script starts several training jobs, of which one is judged.",
        why="The first is judged. `--as sagemaker:NAME` names another by its variable, and `--as sagemaker:2` by its "
        "number; `--as shell:2` is the second command line of a script that trains.",
        example="# small = HuggingFace(…)\n# large = HuggingFace(…)\n# hbspec check jobs.py",
        instead="# hbspec check jobs.py --as sagemaker:large",
    ),
    Page(
        code="HB067",
        name="code-not-read",
        summary="A Python file, a notebook or a script, or a part of it, cannot be read, or starts no training job.",
        why="A cell with a syntax error, or half a file, is read as far as it is Python. What stands in the other "
        "lines is not known. Lines for the shell or for IPython (`!pip`, `%env`) are passed over. A shell script is "
        "read up to a quote that does not end; it starts a training if a command line of `trl`, `llamafactory-cli`, "
        "`axolotl` or of a launcher with a script for their keys is in it.",
        example='# estimator = HuggingFace(instance_type="ml.g5.2xlarge" instance_count=1)',
        instead='# estimator = HuggingFace(instance_type="ml.g5.2xlarge", instance_count=1)',
        references=("https://nbformat.readthedocs.io/en/latest/format_description.html",),
    ),
    Page(
        code="HB068",
        name="left-to-the-script",
        summary="A call or a command line leaves to its training script what the estimate needs.",
        why="An estimator names instances, versions and hyperparameters. Whether the script trains adapters or all "
        "weights, in which precision, and at which length rows are cut, is often in the script alone, which is not "
        "read. The larger is taken where there is one, and the message names each value that is guessed. A script on a "
        "command line with TRL's flags is taken to do what TRL's own does.",
        example='# HuggingFace(entry_point="train.py", hyperparameters={"model_id": "Qwen/Qwen2.5-7B"})',
        instead="# hbspec check train_job.py --set hyperparameters.method=qlora --set hyperparameters.max_length=2048",
        references=("https://github.com/huggingface/notebooks/tree/main/sagemaker",),
    ),
)

PAGES = {entry.code: entry for entry in _ENTRIES}
