"""boto3's clients of one region, and what goes wrong between here and the service, as a message and one action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

ATTEMPTS = 4
"""How often botocore asks, with pauses, where the service is busy or the connection is lost."""
CONNECT_SECONDS, READ_SECONDS = 10, 60
NO_CAPACITY = frozenset({"ResourceLimitExceeded", "CapacityError"})
"""Codes of a refusal, and beginnings of the reason of a failure, where the account or the region lacks instances.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html#API_CreateTrainingJob_Errors"""
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})
SERVER_FAILED = 500
"""HTTP status from which on the service, not the request, is at fault."""


class ServiceError(Exception):
    """A question that was not answered, or was answered with a refusal.

    Args:
        message: what was asked, and what came back.
        action: what to do.
        code: the service's code of the refusal; empty where no answer came.
        certain: whether what was asked for certainly did not happen: not where no answer came, or the service failed.
    """

    def __init__(self, message: str, action: str, code: str = "", *, certain: bool = True) -> None:
        super().__init__(f"{message}; {action}")
        self.message, self.action, self.code, self.certain = message, action, code, certain

    @property
    def lacks_capacity(self) -> bool:
        """Whether another instance type may be had."""
        return self.code in NO_CAPACITY

    def after(self, message: str) -> ServiceError:
        """The same failure with another message."""
        return type(self)(message, self.action, self.code, certain=self.certain)


class Clients:
    """The services of one region.

    Args:
        region: AWS region; None for the default of boto3.

    Raises:
        ServiceError: no region is known.
    """

    def __init__(self, region: str | None) -> None:
        import boto3

        self._session = boto3.session.Session(region_name=region)
        if self._session.region_name is None:
            raise ServiceError("no AWS region is known", "set instance.region in the spec, or give --region")
        self.region: str = self._session.region_name

    @cached_property
    def sagemaker(self) -> Any:
        """SageMaker's client."""
        return self._client("sagemaker")

    @cached_property
    def s3(self) -> Any:
        """S3's client."""
        return self._client("s3")

    @cached_property
    def cloudwatch(self) -> Any:
        """The client of CloudWatch's alarms and dashboards."""
        return self._client("cloudwatch")

    @cached_property
    def logs(self) -> Any:
        """The client of CloudWatch Logs."""
        return self._client("logs")

    def _client(self, service: str) -> Any:
        from botocore.config import Config

        settings = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "max_attempts": ATTEMPTS},
        )
        with asking(f"a client of {service}"):
            return self._session.client(service, config=settings)


@contextmanager
def asking(question: str) -> Iterator[None]:
    """A block that asks AWS; whatever botocore raises becomes a `ServiceError`.

    Args:
        question: what is asked for, as a noun: `CreateTrainingJob`.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except ClientError as refusal:
        answer = refusal.response
        failed = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= SERVER_FAILED
        raise _refused(question, answer.get("Error", {}), certain=not failed) from refusal
    except (NoCredentialsError, PartialCredentialsError) as missing:
        raise ServiceError(f"{question}: AWS credentials are missing", "sign in, as with `aws sso login`") from missing
    except (BotoCoreError, Boto3Error) as lost:
        action = "check the network and the region, and run the command again"
        raise ServiceError(f"{question}: {lost}", action, certain=False) from lost


def _refused(question: str, error: Mapping[str, str], *, certain: bool) -> ServiceError:
    code, said = error.get("Code", "Unknown"), error.get("Message", "no reason was given")
    if code in EXPIRED:
        return ServiceError(f"{question}: the AWS credentials have expired", "sign in, and run the command again", code)
    if code in REFUSED:
        return ServiceError(f"{question} is not allowed: {said}", "ask for this permission", code)
    action = "correct what the service names" if certain else "run the command again"
    return ServiceError(f"{question} was refused: {said} ({code})", action, code, certain=certain)
