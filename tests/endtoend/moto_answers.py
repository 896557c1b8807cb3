"""Requests to endpoints, which moto answers whatever they are: at once, or by way of a queue whose requests lie in S3.

An endpoint takes one kind alone, says the documentation; the words of the refusals are assumed. A request in the queue
is answered as soon as it is sent.
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

if TYPE_CHECKING:
    from moto_endpoints import Fate

from moto_components import hosted, hosts

Response = SageMakerRuntimeResponse


def answering(fate: Fate) -> Callable[[Response], Any]:
    """InvokeEndpoint."""
    of_moto = Response.invoke_endpoint

    def invoke_endpoint(self: Response) -> Any:
        name = self.path.split("/")[2]
        if _queue(self, name):
            return _refused("ValidationError", 400, f"Endpoint {name} does not support this inference type.")
        component = self.headers.get("X-Amzn-SageMaker-Inference-Component", "")
        where = (self.current_account, self.region, name)
        if (component in hosted(*where)) != hosts(*where):
            return _refused("ValidationError", 400, f"Inference Component Name is wrong for endpoint {name}.")
        model = json.loads(self.body).get("model")
        if fate.answers_to and model != fate.answers_to:
            said = f"Received client error (404) from primary. The model `{model}` does not exist."
            return _refused("ModelError", 424, said)
        return of_moto(self)

    return invoke_endpoint


def answering_later() -> Callable[[Response], Any]:
    """InvokeEndpointAsync."""

    def invoke_endpoint_async(self: Response) -> Any:
        name = self.path.split("/")[2]
        queue = _queue(self, name)
        if not queue:
            return _refused("ValidationError", 400, f"Endpoint {name} does not support this inference type.")
        store = s3_backends[self.current_account]["aws"]
        asked = self.headers["X-Amzn-SageMaker-InputLocation"]
        found = store.get_object(*_place(asked))
        assert found is not None, f"nothing lies at {asked}"
        answer = queue["OutputConfig"]["S3OutputPath"].rstrip("/") + "/1.out"
        store.put_object(*_place(answer), json.dumps({"model": json.loads(found.value)["model"]}).encode())
        return 202, {"X-Amzn-SageMaker-OutputLocation": answer}, json.dumps({"InferenceId": "1"})

    return invoke_endpoint_async


def _queue(response: Response, name: str) -> dict[str, Any]:
    """The configuration of the endpoint's queue; empty without."""
    backend = sagemaker_backends[response.current_account][response.region]
    configuration = backend.endpoint_configs[backend.endpoints[name].endpoint_config_name]
    return dict(configuration.async_inference_config or {})


def _refused(kind: str, status: int, said: str) -> Any:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": kind, "status": status}
    return status, headers, json.dumps({"Message": said})


def _place(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
