"""Defects of training data: HB050 to HB065. The manual reads this table as it reads the rules."""

from __future__ import annotations

from hbspec.diagnostics import Severity
from hbspec.manual.page import Page

LINE = Page(
    "HB050",
    "data-line-refused",
    "A line, entry or row of a data file is not an example, or one of another dataset type.",
    "Training reads one example per line, entry or row, all of one dataset type: a conversation is a list `messages` "
    "of mappings that hold a `role` and a string `content`. Anything else stops the job after it has started to cost "
    "money, or is skipped silently. Columns of other names are named with `--column`.",
    '# train.jsonl: {"question": "Who leads the league?"}\n# hbspec data check train.jsonl',
    '# train.jsonl: {"messages": [{"role": "user", "content": "Who leads the league?"}, …]}\n'
    "# hbspec data check train.jsonl",
)
FILE = Page(
    "HB051",
    "data-file-refused",
    "A data file is not what its name says, cannot be read to its end, has a name that the job ignores, or holds no "
    "example; or a shard is missing, or a column that is named.",
    "JSON lines, JSON lists and CSV are UTF-8 text, plain or compressed with gzip or zstd. Where no line can be read, "
    "none can be reported, and a truncated file has lost examples, so it is not judged as if it were complete. A file "
    "that decompresses to hundreds of times its size is designed to fill memory; reading stops there. A job reads the "
    "files of its channel whose names end in `.jsonl`, `.json`, `.csv` (also with `.gz` or `.zst`) or `.parquet`, in "
    "any case, and do not begin with `.` or `_`, and ignores all others. Of files named `…-00000-of-00003` all three "
    "must be there.",
    "# hbspec data check train.parquet.zip",
    "# hbspec data check train.parquet",
)
ORDER = Page(
    "HB052",
    "turns-out-of-order",
    "Roles do not alternate: a system message is not first, two user turns follow each other, or the assistant begins.",
    "Chat templates expect a system message, then user and assistant in alternation, with tools answering an "
    "assistant. The templates of Mistral, Gemma and Llama 2 refuse any other order, which ends the job; others drop or "
    "merge turns silently.",
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "system", …}, {"role": "assistant", …}]}',
    '# train.jsonl: {"messages": [{"role": "system", …}, {"role": "user", …}, {"role": "assistant", …}]}',
    Severity.WARNING,
)
ANSWER = Page(
    "HB053",
    "example-without-answer",
    "An example does not end with an assistant turn.",
    "The loss covers the assistant's tokens, so turns after the last answer cost compute and teach nothing. The "
    "shipped training script refuses an example without any answer.",
    '# train.jsonl: {"messages": [{"role": "user", "content": "Who leads the league?"}]}',
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "assistant", "content": "Montreal."}]}',
    Severity.WARNING,
)
EMPTY = Page(
    "HB054",
    "empty-turn",
    "A turn has no text.",
    "An empty answer teaches the model to stop at once; an empty question teaches it to answer anything. Usually a "
    "step that should have filled the turn has failed.",
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "assistant", "content": " "}]}',
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "assistant", "content": "Montreal."}]}',
    Severity.WARNING,
)
REPEATED = Page(
    "HB055",
    "example-repeated",
    "An example repeats an earlier one of its split.",
    "A repeated example is learnt several times in every epoch. Examples with the same roles and contents count as the "
    "same, whatever the order of keys and whatever else a line holds.",
    "# train.jsonl holds the same conversation in lines 3 and 9",
    "# train.jsonl holds it once",
    Severity.WARNING,
)
LEAKED = Page(
    "HB056",
    "example-in-both-splits",
    "An example of the validation split is also in the training split.",
    "The loss on such an example measures memorisation. The more of them there are, the better the evaluation looks; "
    "the checkpoint that has memorised most is kept, and the job never shows it.",
    "# hbspec data check train.jsonl --validation validation.jsonl\n# one conversation is in both files",
    "# validation.jsonl without it",
    Severity.WARNING,
)
PROMPT = Page(
    "HB057",
    "prompt-in-both-splits",
    "A prompt of the validation split (everything before its last answer) is also in the training split.",
    "The model is then evaluated on a question that it was taught to answer differently. Splits drawn after examples "
    "were generated from templates share most of their prompts; split by prompt instead.",
    "# hbspec data check train.jsonl --validation validation.jsonl\n"
    "# both files ask “Who leads the league?”, with different answers",
    "# all answers to one prompt in one of the files",
    Severity.WARNING,
)
PLACEHOLDER = Page(
    "HB058",
    "placeholder-not-filled",
    "A message contains an unfilled placeholder such as `{factor1}`.",
    "The template that generated the example was not filled in, and the model learns to say the placeholder. Braces in "
    "code blocks, in `code` between backticks, after `$`, in LaTeX and in paths are ignored.",
    '# train.jsonl: "content": "The decisive factor was {factor1}."',
    '# train.jsonl: "content": "The decisive factor was the power play."',
    Severity.WARNING,
)
FIELD = Page(
    "HB059",
    "field-not-trained",
    "A message has a field besides `role` and `content`.",
    "The shipped training script refuses such a message, because it would train without the field: `tool_calls`, "
    "`name`, `thinking`. Your script may support it.",
    '# train.jsonl: {"role": "assistant", "content": "", "tool_calls": […]}',
    '# train.jsonl: {"role": "assistant", "content": "[TOOL: parquet_query] …"}',
)
PROFILE = Page(
    "HB060",
    "profile-of-other-data",
    "The profile was not made from these files.",
    "Time, cost and epochs are estimated from the profile. Its digest is a sum over all examples, independent of their "
    "order and of the files they are in, so a different digest means different data.",
    "# train.jsonl has grown since\n# hbspec data check train.jsonl --profile train.profile.json",
    "# hbspec data profile train.jsonl -o train.profile.json\n"
    "# hbspec data check train.jsonl --profile train.profile.json",
)
UNREAD = Page(
    "HB061",
    "files-not-read",
    "A folder of data holds files that the job does not read.",
    "A job reads the files of its channel whose names end in `.jsonl`, `.json`, `.csv` (also with `.gz` or `.zst`) or "
    "`.parquet`, in any case, and that do not begin with `.` or `_`. A part of the data under another name, such as "
    "`part3.txt` or `part5.jsonl.1`, is missing from training without an error. The shipped training script "
    "names such files in its log. Hidden files of tools are not named.",
    "# train/ holds part1.jsonl and part2.txt\n# hbspec data check train/",
    "# train/ holds part1.jsonl and part2.jsonl\n# hbspec data check train/",
    Severity.WARNING,
)

TEMPLATE = Page(
    "HB062",
    "template-refuses-example",
    "The chat template refuses an example, or hides its answers.",
    "The job turns every conversation into text with the chat template, and refuses data of which one example does not "
    "become text, or in which the assistant's words cannot be found. The templates of Mistral and Gemma refuse a "
    "system message and roles that do not alternate.",
    '# train.jsonl: {"messages": [{"role": "system", …}, {"role": "user", …}, {"role": "assistant", …}]}\n'
    "# hbspec data check train.jsonl --chat-template mistral",
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "assistant", …}]}\n'
    "# hbspec data check train.jsonl --chat-template mistral",
)
LAYOUT = Page(
    "HB063",
    "layout-not-trained",
    "The examples are of a dataset type that the job's task does not train, or of a layout that no job reads; or later "
    "ones have columns of another type that the first one lacks.",
    "Each task trains its own types: `sft` language modeling and prompt-completion, `dpo` and `reward` preferences, "
    "`kto` unpaired preferences, `grpo` prompts. None trains stepwise supervision, which needs your script. Alpaca "
    "(`instruction`, `input`, `output`) and ShareGPT (`conversations` of `from` and `value`) are not read by a job: it "
    "would end after its start. They are checked here as the conversations that they become. The first example decides "
    "the type of all; the columns of another type that only later ones have, such as `label`, are not read.",
    '# train.jsonl: {"instruction": "Who leads the league?", "output": "Montreal."}\n# hbspec data check train.jsonl',
    "# hbspec data convert train.jsonl -o train.messages.jsonl\n# hbspec data check train.messages.jsonl",
    Severity.WARNING,
    ("https://huggingface.co/docs/trl/dataset_formats", "https://github.com/tatsu-lab/stanford_alpaca#data-release"),
)
EQUAL = Page(
    "HB064",
    "pair-without-preference",
    "The chosen answer of a pair equals the rejected one.",
    "A pair teaches the difference between its answers. Where they are equal the gradient of DPO is zero, and the "
    "shipped script refuses the data. Often a step that should have generated the second answer returned the first.",
    '# train.jsonl: {"prompt": "Who leads?", "chosen": "Montreal.", "rejected": "Montreal."}',
    '# train.jsonl: {"prompt": "Who leads?", "chosen": "Montreal.", "rejected": "The team of the east."}',
    Severity.ERROR,
    ("https://arxiv.org/abs/2305.18290",),
)
LENGTHS = Page(
    "HB065",
    "chosen-answers-longer",
    "The chosen answers are on average more than 1.5 times as long as the rejected ones, or the rejected ones as the "
    "chosen.",
    "DPO raises the probability of what distinguishes the chosen answers, and length does so at once: the model learns "
    "to write at length, whatever the words. The mean lengths are compared in bytes, over all pairs.",
    "# hbspec data check pairs.jsonl\n# chosen answers of 2,000 bytes, rejected ones of 600",
    "# pairs.jsonl with answers of similar lengths",
    Severity.WARNING,
    ("https://arxiv.org/abs/2403.19159",),
)

PAGES = {
    page.code: page
    for page in (
        LINE,
        FILE,
        ORDER,
        ANSWER,
        EMPTY,
        REPEATED,
        LEAKED,
        PROMPT,
        PLACEHOLDER,
        FIELD,
        PROFILE,
        UNREAD,
        TEMPLATE,
        LAYOUT,
        EQUAL,
        LENGTHS,
    )
}
