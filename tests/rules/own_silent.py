"""A script that goes on and stops, and prints what the plain trainer prints."""

import signal

from transformers import Trainer


def main(model, arguments, data, stop):
    signal.signal(signal.SIGTERM, stop)
    Trainer(model, arguments, train_dataset=data).train(resume_from_checkpoint=True)
