"""A script that goes on, and is killed."""

from transformers import Trainer


def main(model, arguments, data):
    trainer = Trainer(model, arguments, train_dataset=data)
    trainer.train(resume_from_checkpoint=True)
