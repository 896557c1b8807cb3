"""A script that an author of a spec might have: it trains in a chat template of its own."""

import hbspec_job
from trl import SFTTrainer

CHATML = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"


def train(model, tokenizer, data):
    tokenizer.chat_template = CHATML
    hbspec_job.Job(SFTTrainer(model, processing_class=tokenizer, train_dataset=data)).train()
