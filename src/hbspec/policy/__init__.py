"""What an organisation allows: a policy's lines, and the judgement of specs and of requests by them."""

from hbspec.policy.read import Policy, read_policy

__all__ = ["Policy", "read_policy"]
