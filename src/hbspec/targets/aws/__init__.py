"""Shared code of the AWS targets: request bodies and their schemas, container images, job names, shell lines."""
