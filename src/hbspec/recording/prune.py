"""What comes before a layer, without what does not lead to the residual stream, or to a layer: positions and masks."""

from __future__ import annotations

from dataclasses import replace

from hbspec.recording.program import Meta, Operator, Watched


def pruned(part: Watched, length: int) -> tuple[Watched, int]:
    """The part with those operators only that lead from a weight to what it puts out, and bytes of what else stays.

    What stays are tensors that the model's forward pass holds for all layers: cosines and sines, and positions. Masks,
    which are as wide as a row is long and as high, are counted by themselves.
    """
    needed = {part.output, *part.exports.values()}
    kept = []
    for operator in reversed(part.operators):
        floats = any(part.values[number].differentiable for number in operator.outputs)
        if needed.intersection(operator.outputs) and floats:
            needed |= {number for number in operator.inputs if isinstance(number, int)}
            kept.append(operator)
    made = {*_given(part), *(number for operator in kept for number in operator.outputs)}
    freed = {number for operator in part.operators for number in operator.freed}
    held = 0
    for operator in part.operators:
        if operator in kept:
            continue
        for number, alias in zip(operator.outputs, operator.aliases, strict=True):
            meta = part.values[number].meta
            if alias is None and number not in freed and not is_mask(meta, length):
                held += meta.numel * meta.element
    kept = [
        replace(
            operator,
            inputs=[number if not isinstance(number, int) or number in made else None for number in operator.inputs],
            freed=[number for number in operator.freed if number in made],
        )
        for operator in reversed(kept)
    ]
    # what others free in between goes with the next operator that is kept
    return _renumbered(replace(part, operators=_freeing(part, kept, made))), held


def is_mask(meta: Meta, length: int) -> bool:
    """Whether a tensor that the model holds for all layers is a mask."""
    return meta.shape[-2:] == (length, length)


def makes_mask(part: Watched, length: int) -> bool:
    """Whether what comes before the layers makes a mask that they are given."""
    freed = {number for operator in part.operators for number in operator.freed}
    held = [value for number, value in enumerate(part.values) if number not in freed]
    return any(is_mask(value.meta, length) and not value.differentiable for value in held)


def _given(part: Watched) -> list[int]:
    """Values that none of its operators makes."""
    return [*([0] if part.given else []), *part.imports.values()]


def _renumbered(part: Watched) -> Watched:
    """The part with numbers for its own values only: what else ran before may differ from one pass to the next."""
    numbers = [*_given(part), *(number for operator in part.operators for number in operator.outputs)]
    if part.output not in numbers:
        return part
    new = {old: index for index, old in enumerate(dict.fromkeys(numbers))}
    operators = [
        replace(
            operator,
            inputs=[new[one] if isinstance(one, int) else one for one in operator.inputs],
            outputs=[new[one] for one in operator.outputs],
            freed=[new[one] for one in operator.freed],
        )
        for operator in part.operators
    ]
    return replace(
        part,
        values=[part.values[old] for old in new],
        operators=operators,
        output=new[part.output],
        hooked=None if part.hooked is None else new.get(part.hooked),
        imports={label: new[number] for label, number in part.imports.items()},
        exports={label: new[number] for label, number in part.exports.items()},
    )


def _freeing(part: Watched, kept: list[Operator], made: set[int]) -> list[Operator]:
    """The kept operators, each with what goes until the next one begins."""
    later: dict[int, list[int]] = {}
    place = -1
    for operator in part.operators:
        if place + 1 < len(kept) and kept[place + 1].outputs == operator.outputs:
            place += 1
        later.setdefault(place, []).extend(number for number in operator.freed if number in made)
    return [replace(operator, freed=later.get(index, [])) for index, operator in enumerate(kept)]
