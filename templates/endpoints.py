"""Models behind an endpoint: one with chat completions as OpenAI's, or one at SageMaker.

boto3 is imported where a SageMaker endpoint is asked; the rest is the standard library.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from asking import (
    DENIED,
    MALFORMED,
    NOT_CONNECTED,
    RATE_LIMITED,
    REFUSED,
    SERVER_FAILED,
    TIMED_OUT,
    DeniedError,
    NoReplyError,
    Reply,
    no_reply,
    reply_of,
)

SAGEMAKER = "sagemaker:"
MOST_BYTES = 16 * 2**20
"""Of a reply: what is longer is not one."""
BLOCK_BYTES = 2**16
MOST_STOPS = 4
"""https://platform.openai.com/docs/api-reference/chat/create#chat-create-stop"""
COMPLETIONS, MODELS = "/chat/completions", "/models"
THROTTLED = ("ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException")
BUSY = ("ModelNotReadyException", "InternalFailure", "ServiceUnavailable", "InternalDependencyException")
MODEL_ERROR = "ModelError"
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""


class Completions:
    """An endpoint with chat completions as OpenAI's.

    Args:
        url: of the server, of its `/v1`, or of its chat completions.
        model: the `model` of requests; None for the first that the server lists, or none where it lists none.
        key: a bearer token; None for none. It is sent to this URL alone, and recorded nowhere.
        timeout: seconds of one request.
        temperature: of sampling; 0 is greedy.

    Raises:
        DeniedError: nothing answers there, or the URL cannot be used.
    """

    at_once = None

    def __init__(self, url: str, model: str | None, key: str | None, timeout: float, temperature: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise DeniedError(f"{url} is not a URL of a server: it is written http://HOST:PORT/v1")
        if parts.username or parts.password:
            raise DeniedError("a URL with a password would be recorded: give a key with --key-variable")
        path = parts.path.rstrip("/").removesuffix(COMPLETIONS)
        self._base = parts._replace(path=path or "/v1", fragment="")
        self._shown = urlunsplit(self._base._replace(query=""))
        self._key, self._timeout, self._temperature = key, timeout, temperature
        self._opener = urllib.request.build_opener()
        self._listed = self._models()
        self._model = model or (self._listed[0] if self._listed else None)
        self._answered_by: str | None = None

    @property
    def told(self) -> Mapping[str, Any]:
        """The URL without its query, and the model by the name it was asked by and the one it gave itself."""
        return {
            "kind": "endpoint",
            "against": self._shown,
            "model": self._model,
            "answered_by": self._answered_by,
            "temperature": self._temperature,
        }

    def ask(self, messages: Sequence[Mapping[str, str]], max_tokens: int, seed: int, stop: Sequence[str] = ()) -> Reply:
        """The reply to a conversation; see `Asked.ask`."""
        body = _body(messages, max_tokens, seed, stop, self._temperature)
        reply = reply_of(self._sent(COMPLETIONS, body | ({"model": self._model} if self._model else {})))
        self._answered_by = self._answered_by or reply.model
        return reply

    def _models(self) -> list[str]:
        """The models that the server lists; none where it has no such list."""
        try:
            found = self._sent(MODELS, None)
            return [entry["id"] for entry in found["data"] if isinstance(entry["id"], str)]
        except NoReplyError as none:
            if none.kind == NOT_CONNECTED:
                raise DeniedError(f"{self._shown} does not answer: start the server, or correct the URL") from None
            return []
        except (KeyError, TypeError):
            return []

    def _sent(self, path: str, body: Mapping[str, Any] | None) -> Any:
        request = urllib.request.Request(
            urlunsplit(self._base._replace(path=self._base.path + path)),
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "hbspec-evaluate"},
        )
        if self._key is not None:
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return json.loads(_read(answer, self._timeout))
        except urllib.error.HTTPError as status:
            status.close()
            if status.code in DENIED and (body is not None or status.code != DENIED[-1]):
                raise DeniedError(_denied(self._shown, status.code, self._model if body else None)) from None
            raise no_reply(status.code, status.headers.get("Retry-After")) from None
        except (TimeoutError, urllib.error.URLError, http.client.HTTPException, OSError) as failed:
            reason = getattr(failed, "reason", failed)
            kind = TIMED_OUT if isinstance(reason, TimeoutError) else NOT_CONNECTED
            raise NoReplyError(kind, again=True) from None
        except (ValueError, RecursionError):
            raise NoReplyError(MALFORMED, again=False) from None


class SageMakerEndpoint:
    """An endpoint at SageMaker.

    Args:
        name: of the endpoint; `ENDPOINT/VARIANT` or `ENDPOINT/COMPONENT` where it has several.
        model: the `model` of requests, such as the adapters' name; None for none.
        region: AWS region; None for the default of boto3.
        timeout: seconds of one request.
        temperature: of sampling; 0 is greedy.

    Raises:
        DeniedError: the service does not know the endpoint, or not who asks; or it has several components, of which
            none is named.
    """

    at_once = None

    def __init__(self, name: str, model: str | None, region: str | None, timeout: float, temperature: float) -> None:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        self._failures = (BotoCoreError, ClientError)
        self._endpoint, _, self._part = name.partition("/")
        self._model, self._temperature = model, temperature
        settings = Config(read_timeout=timeout, retries={"mode": "standard", "total_max_attempts": 1})
        try:
            self._client = boto3.client("sagemaker-runtime", region_name=region, config=settings)
            service = boto3.client("sagemaker", region_name=region)
            self._serves, self._target = _served(service, self._endpoint, self._part)
        except self._failures as failed:
            raise DeniedError(f"SageMaker's endpoint {self._endpoint} cannot be asked: {failed}") from None

    @property
    def told(self) -> Mapping[str, Any]:
        """The endpoint, its variant or component, where the models lie that it serves, and which of them was asked."""
        return {
            "kind": "sagemaker",
            "against": f"{SAGEMAKER}{self._endpoint}",
            "part": self._part or None,
            "serves": self._serves,
            "model": self._model,
            "temperature": self._temperature,
        }

    def ask(self, messages: Sequence[Mapping[str, str]], max_tokens: int, seed: int, stop: Sequence[str] = ()) -> Reply:
        """The reply to a conversation; see `Asked.ask`."""
        body = _body(messages, max_tokens, seed, stop, self._temperature)
        body |= {"model": self._model} if self._model else {}
        try:
            answer = self._client.invoke_endpoint(
                EndpointName=self._endpoint, ContentType="application/json", Body=json.dumps(body), **self._target
            )
            return reply_of(json.loads(answer["Body"].read(MOST_BYTES)))
        except self._failures as failed:
            raise _no_reply_of_service(failed, self._endpoint) from None
        except (ValueError, RecursionError):
            raise NoReplyError(MALFORMED, again=False) from None


def _body(
    messages: Sequence[Mapping[str, str]], max_tokens: int, seed: int, stop: Sequence[str], temperature: float
) -> dict[str, Any]:
    body = {"messages": list(messages), "max_tokens": max_tokens, "temperature": temperature, "seed": seed}
    return body | ({"stop": list(stop[:MOST_STOPS])} if stop else {})


def _read(answer: http.client.HTTPResponse, timeout: float) -> bytes:
    """The whole body; a socket's own timeout is that of each piece."""
    until, found = time.monotonic() + timeout, bytearray()
    while block := answer.read1(BLOCK_BYTES):
        found += block
        if len(found) > MOST_BYTES:
            raise NoReplyError(MALFORMED, again=False)
        if time.monotonic() > until:
            raise NoReplyError(TIMED_OUT, again=True)
    return bytes(found)


def _denied(shown: str, status: int, model: str | None) -> str:
    if status == DENIED[-1]:
        named = f"the model {model}" if model else "a request without a model"
        return f"{shown} does not know {named} (404): correct the URL, or name a model with --model"
    return f"{shown} refuses the request ({status}): name the variable that holds its key with --key-variable"


def _served(client: Any, endpoint: str, part: str) -> tuple[list[str], dict[str, str]]:
    """Where the models lie that answer, as far as they are named, and what a request says to reach them.

    Raises:
        DeniedError: the endpoint has several components, of which none is named.
    """
    configuration = client.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    variants = client.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
    named = [one["ModelName"] for one in variants if "ModelName" in one and part in ("", one["VariantName"])]
    if named:
        places = [_place(client.describe_model(ModelName=name).get("PrimaryContainer", {})) for name in named]
        return sorted(filter(None, places)), {"TargetVariant": part} if part else {}
    pages = client.get_paginator("list_inference_components").paginate(EndpointNameEquals=endpoint)
    components = sorted(one["InferenceComponentName"] for page in pages for one in page["InferenceComponents"])
    if not components:
        return [], {"TargetVariant": part} if part else {}
    if part not in components and (part or len(components) > 1):
        raise DeniedError(f"name one of the components of {endpoint}: {SAGEMAKER}{endpoint}/{' or /'.join(components)}")
    component = part or components[0]
    described = client.describe_inference_component(InferenceComponentName=component)["Specification"]
    container = described.get("Container", {})
    if "ModelName" in described:
        container = client.describe_model(ModelName=described["ModelName"]).get("PrimaryContainer", {})
    place = _place(container) or container.get("ArtifactUrl")
    return [place] if place else [], {"InferenceComponentName": component}


def _place(container: dict[str, Any]) -> str | None:
    """Where the model of a container lies; None where it names none."""
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    place: str | None = container.get("ModelDataUrl") or source.get("S3Uri")
    return place


def _no_reply_of_service(failed: Exception, endpoint: str) -> Exception:
    """What a failure of botocore says: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/error-handling.html."""
    error = getattr(failed, "response", {}).get("Error", {})
    code, status = error.get("Code", ""), getattr(failed, "response", {}).get("OriginalStatusCode")
    if code == MODEL_ERROR and isinstance(status, int):
        return no_reply(status)
    if code in THROTTLED:
        return NoReplyError(RATE_LIMITED, again=True)
    if code in (*BUSY, MODEL_ERROR):
        return NoReplyError(SERVER_FAILED, again=True)
    if (code == "ValidationError" and "not found" in str(failed).lower()) or "Access" in code or "Token" in code:
        return DeniedError(f"SageMaker's endpoint {endpoint} cannot be asked: {failed}")
    if code:
        return NoReplyError(REFUSED, again=False)
    timed_out = "Timeout" in type(failed).__name__
    return NoReplyError(TIMED_OUT if timed_out else NOT_CONNECTED, again=True)
