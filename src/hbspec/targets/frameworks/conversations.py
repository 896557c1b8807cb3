"""What the frameworks that train on conversations alone cannot be told of the data."""

from __future__ import annotations

from hbspec.analysis import Analysis
from hbspec.targets.lowering.needs import Needs


def refuse_all_but_conversations(needs: Needs, analysis: Analysis) -> None:
    """Refuse other data than conversations, another template than the tokenizer's, and an evaluation without a time."""
    data = analysis.spec.data
    told = data.type != "language_modeling" or data.format not in ("messages", "conversational")
    route = ("data", "type" if data.type != "language_modeling" else "format")
    needs.leave_out(told, route, "its file is written for conversations", "set format to messages")
    columns = data.columns.model_dump(exclude_none=True) if data.columns else {}
    others = [name for name in columns if name != "messages"]
    needs.leave_out(others, ("data", "columns"), "conversations have no such column", "name messages alone")
    needs.leave_out(data.chat_template, ("data", "chat_template"), "the tokenizer's own is used", "leave it out")
    evaluated = data.validation is not None and analysis.spec.hyperparameters.eval_steps is None
    unknown = evaluated and analysis.plan.counts is None and not analysis.plan.training.max_steps
    last = "an evaluation at the end needs the number of updates"
    needs.leave_out(unknown, ("hyperparameters", "eval_steps"), last, "set eval_steps, or add data.train.examples")


def messages_column(analysis: Analysis) -> str:
    """The data's column of the conversation."""
    columns = analysis.spec.data.columns
    return (columns.messages if columns else None) or "messages"
