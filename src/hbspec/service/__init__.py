"""A compiled job at SageMaker: submitted, found again, followed and stopped.

Everything is asked through boto3 (extra `sagemaker`), which is loaded when the first question is asked. What a question
means lies in the module named after it; `client.py` alone knows boto3 and what can go wrong on the way.
"""

from __future__ import annotations
