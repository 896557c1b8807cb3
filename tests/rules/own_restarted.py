"""A script that stops, and begins again."""

import signal

from transformers import Trainer


def main(model, arguments, data, stop):
    signal.signal(signal.SIGTERM, stop)
    Trainer(model, arguments, train_dataset=data).train()
