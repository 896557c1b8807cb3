"""Stopping an attempt: the service sends SIGTERM, and the shipped script saves before it ends."""

from __future__ import annotations

from hbspec.service.client import Clients, asking


def stop(clients: Clients, name: str) -> None:
    """Ask for an attempt to be stopped; it ends some time after this returns.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html

    Raises:
        ServiceError: the attempt does not exist, has ended already, or the question was not answered.
    """
    with asking("StopTrainingJob"):
        clients.sagemaker.stop_training_job(TrainingJobName=name)
