"""A script whose job is taken care of."""

import hbspec_job
from transformers import Trainer


def main(model, arguments, data):
    trainer = Trainer(model, arguments, train_dataset=data)
    return hbspec_job.Job(trainer).train()
