"""What an endpoint keeps: copies of requests and answers in S3, and the key that encrypts these and its volume.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hbspec.analysis import Analysis
from hbspec.plan.training_job import folder

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Kept:
    """Members of CreateEndpointConfig.

    Attributes:
        percent: share of the requests of which copies are kept; 0 for none.
        uri: the prefix of the copies.
        copies_key: the key of AWS KMS that encrypts the copies.
        volume_key: the same for the volume; the service takes none for an instance type with NVMe disks.
    """

    percent: int
    uri: str
    copies_key: str | None
    volume_key: str | None

    def body(self) -> dict[str, Any]:
        """The members."""
        found: dict[str, Any] = {"KmsKeyId": self.volume_key} if self.volume_key else {}
        if self.percent:
            found["DataCaptureConfig"] = {
                "EnableCapture": True,
                "InitialSamplingPercentage": self.percent,
                "DestinationS3Uri": self.uri,
                **({"KmsKeyId": self.copies_key} if self.copies_key else {}),
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {"JsonContentTypes": [JSON]},
            }
        return found


def kept(analysis: Analysis) -> Kept:
    """What the spec says of it."""
    section, account = analysis.spec.deployment, analysis.spec.sagemaker
    capture, key = section.data_capture if section else None, account.kms_key if account else None
    row = analysis.catalog.instances.get((section.instance.type if section else None) or "")
    return Kept(
        percent=capture.percent if capture else 0,
        uri=folder(capture.uri) if capture else "",
        copies_key=key,
        volume_key=None if row and row.nvme_bytes else key,
    )
