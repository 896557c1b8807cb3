"""What can be wrong with training data: HB050 to HB060. The manual reads this table, as it reads the rules."""

from __future__ import annotations

from hbspec.diagnostics import Severity
from hbspec.manual.page import Page

LINE = Page(
    "HB050",
    "data-line-refused",
    "A line of a data file is no conversation.",
    "Training reads one JSON object a line, with a list `messages` of maps that hold a `role` and a text `content`. "
    "What is anything else stops the job when it is paid for, or is left out without a word.",
    '# train.jsonl: {"prompt": "Who leads the league?"}\n# hbspec data check train.jsonl',
    '# train.jsonl: {"messages": [{"role": "user", "content": "Who leads the league?"}, …]}\n'
    "# hbspec data check train.jsonl",
)
FILE = Page(
    "HB051",
    "data-file-refused",
    "A data file is not JSON lines, cannot be decompressed to its end, has a name that a job passes over, or holds no "
    "example.",
    "JSON lines are UTF-8 text, plain or compressed by gzip or zstd. A file of another kind has no line to report, and "
    "one whose end is missing has lost examples: nothing is said of its data as if it were whole. What decompresses to "
    "hundreds of times its size is made to fill memory, and is not read on. Of its channel a job reads the files whose "
    "names end in `.jsonl`, `.jsonl.gz` or `.jsonl.zst` and do not begin with `.` or `_`; all others are passed over.",
    "# hbspec data check train.parquet",
    "# hbspec data check train.jsonl.gz",
)
ORDER = Page(
    "HB052",
    "turns-out-of-order",
    "Roles do not take turns: a system message that is not first, two user turns in a row, an assistant that begins.",
    "Chat templates are written for a system message, then user and assistant by turns, with tools answering an "
    "assistant. Of anything else Mistral's, Gemma's and Llama 2's templates refuse to make text, which ends the job, "
    "and others drop or merge turns without a word.",
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "system", …}, {"role": "assistant", …}]}',
    '# train.jsonl: {"messages": [{"role": "system", …}, {"role": "user", …}, {"role": "assistant", …}]}',
    Severity.WARNING,
)
ANSWER = Page(
    "HB053",
    "example-without-answer",
    "An example does not end with an assistant turn.",
    "The loss is on the assistant's words, so what follows the last answer is computed and teaches nothing; an example "
    "without any answer is refused by the shipped training script.",
    '# train.jsonl: {"messages": [{"role": "user", "content": "Who leads the league?"}]}',
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "assistant", "content": "Montreal."}]}',
    Severity.WARNING,
)
EMPTY = Page(
    "HB054",
    "empty-turn",
    "A turn has no text.",
    "An empty answer teaches the model to end at once, and an empty question that anything may be its answer. Usually "
    "a step that should have filled it has failed.",
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "assistant", "content": " "}]}',
    '# train.jsonl: {"messages": [{"role": "user", …}, {"role": "assistant", "content": "Montreal."}]}',
    Severity.WARNING,
)
REPEATED = Page(
    "HB055",
    "example-repeated",
    "An example is the same as an earlier one of its split.",
    "It is learnt that many times in every epoch. The same roles and texts count as the same, whatever the order of "
    "keys or what else a line holds.",
    "# train.jsonl holds the same conversation in lines 3 and 9",
    "# train.jsonl holds it once",
    Severity.WARNING,
)
LEAKED = Page(
    "HB056",
    "example-in-both-splits",
    "An example of the validation split is also trained on.",
    "The loss on it says how well it was remembered. With more of them the evaluation looks better, the checkpoint "
    "that has memorised most is kept, and no step of the job shows it.",
    "# hbspec data check train.jsonl --validation validation.jsonl\n# one conversation is in both files",
    "# validation.jsonl without it",
    Severity.WARNING,
)
PROMPT = Page(
    "HB057",
    "prompt-in-both-splits",
    "A prompt of the validation split, all that stands before its last answer, is also trained on.",
    "With another answer to the same question the model is judged on what it was taught to say to it. Splits that are "
    "drawn after examples were made from templates share most of their prompts; split by prompt instead.",
    "# hbspec data check train.jsonl --validation validation.jsonl\n"
    "# both files ask “Who leads the league?”, with different answers",
    "# all answers to one prompt in one of the files",
    Severity.WARNING,
)
PLACEHOLDER = Page(
    "HB058",
    "placeholder-not-filled",
    "A text holds a placeholder such as `{factor1}` that nothing has filled.",
    "Whatever made the example from a template left it, and the model learns to say it. Braces in code blocks, in "
    "`code` between backticks, behind `$`, in LaTeX and in paths are passed over.",
    '# train.jsonl: "content": "The decisive factor was {factor1}."',
    '# train.jsonl: "content": "The decisive factor was the power play."',
    Severity.WARNING,
)
FIELD = Page(
    "HB059",
    "field-not-trained",
    "A message holds more than a role and a content.",
    "The shipped training script refuses such a message, for it would train without what the field says: `tool_calls`, "
    "`name`, `thinking`. A script of your own may know what to do with it.",
    '# train.jsonl: {"role": "assistant", "content": "", "tool_calls": […]}',
    '# train.jsonl: {"role": "assistant", "content": "[TOOL: parquet_query] …"}',
)
PROFILE = Page(
    "HB060",
    "profile-of-other-data",
    "The profile was not made from these files.",
    "Time, money and epochs are reckoned from the profile. Its digest is a sum over all examples, in whatever order "
    "and files they lie, so another digest is other data.",
    "# train.jsonl has grown since\n# hbspec data check train.jsonl --profile train.profile.json",
    "# hbspec data profile train.jsonl -o train.profile.json\n"
    "# hbspec data check train.jsonl --profile train.profile.json",
)

PAGES = {
    page.code: page
    for page in (LINE, FILE, ORDER, ANSWER, EMPTY, REPEATED, LEAKED, PROMPT, PLACEHOLDER, FIELD, PROFILE)
}
