"""Recorded programs over shapes: what `hbspec model add` wrote down of a model's layers, run on the tape.

Every operator saves and allocates what torch was seen to save and allocate; linear modules and attention are those of
`linear` and `products`, since what is adapted, quantised or trained is not known to a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from hbspec.catalog.recorded_program import Step, Steps, Way
from hbspec.diagnostics import Missing, NotKnownError
from hbspec.estimators.step.lifetimes import operators as op
from hbspec.estimators.step.lifetimes import products
from hbspec.estimators.step.lifetimes.autograd import Node, ParameterTensor, Saved, Tensor
from hbspec.estimators.step.lifetimes.embedding import LAYER_INPUTS, Embedding, Leaf, adapted, looked_up
from hbspec.estimators.step.lifetimes.ledger import NOTHING, Form, TensorStorage
from hbspec.estimators.step.lifetimes.linear import linear
from hbspec.estimators.step.lifetimes.modules import Linear, Machine, narrowed
from hbspec.estimators.step.lifetimes.recorded_derivative import RecordedDerivative, several
from hbspec.estimators.step.lifetimes.tape import Tape

Shared = Mapping[str, Tensor]
"""By label, tensors that one part makes and another reads."""

ANY = 0
"""Stands for the bytes of a number that a part is given, where no other comes."""


class RecordedPart(NamedTuple):
    """A program with the modules and weights that it runs.

    Attributes:
        programs: the operators, by the bytes of a number that the part is given; `ANY` where that is always the same.
        linears: linear modules by their path.
        parameters: all other weights by name.
        table: the embedding, in the part that has it.
        before: what runs before a layer and outside it, where another is before that one.
    """

    programs: Mapping[int, Steps]
    linears: Mapping[str, Linear]
    parameters: Mapping[str, ParameterTensor]
    table: Embedding | None = None
    before: RecordedPart | None = None

    @property
    def idle(self) -> bool:
        """Whether it is a layer that does not run."""
        return not any(program.steps for program in self.programs.values())

    @property
    def trained(self) -> bool:
        """Whether anything in it is trained."""
        return any(weight.trained for weight in self.weights())

    @property
    def needed(self) -> bool:
        """Whether the output needs a gradient whatever the input is."""
        return (self.table is not None and self.table.needed) or self.trained

    @property
    def weights_of_table(self) -> list[ParameterTensor]:
        """Weights of the embedding."""
        return self.table.weights() if self.table else []

    def program(self, element: int) -> Steps:
        """What runs where the part is given numbers of so many bytes.

        Raises:
            NotKnownError: that was not recorded.
        """
        found = self.programs.get(element) or self.programs.get(ANY)
        if found is None:
            raise NotKnownError(
                Missing(f"a recorded layer that is given numbers of {element} bytes", ("model", "config"))
            )
        return found

    def weights(self) -> list[ParameterTensor]:
        """Weights of all modules and of their adapters."""
        linears = (weight for module in self.linears.values() for weight in module.weights())
        return [*self.weights_of_table, *self.parameters.values(), *linears]


def run_part(machine: Machine, part: RecordedPart, x: Tensor, term: str = "") -> Tensor:
    """The output of a recorded part; `term` names its storages, or else its modules' names do."""
    return _part(machine, part, machine.tape.shared, term, x)


def _part(machine: Machine, part: RecordedPart, shared: Shared, term: str, x: Tensor) -> Tensor:
    tape, program = machine.tape, part.program(x.element)
    values = _run(machine, part, program, x, term, shared)
    if not tape.recomputing:
        if program.returned is not None:
            tape.returned = values[program.returned]
        tape.shared |= {label: values[number] for label, number in program.exports.items()}
    return values[program.output]


def layer_call(machine: Machine, part: RecordedPart, x: Tensor) -> Callable[[Tensor], Tensor]:
    """A layer as it is called here: what it reads of other layers stays the same when it is computed again."""
    shared = machine.tape.shared
    given = {label: shared[label] for label in part.program(x.element).imports}
    return partial(_part, machine, part, given, "")


def recorded_embedding(machine: Machine, part: RecordedPart) -> tuple[Tensor, list[Tensor]]:
    """The residual stream, and what the model's forward pass holds beside it."""
    program = part.program(ANY)
    values = _run(machine, part, program, None, LAYER_INPUTS, {})
    machine.tape.shared |= {label: values[number] for label, number in program.exports.items()}
    x = values.pop(program.output)
    held = {id(one.storage): one for one in values.values() if one.storage not in (None, x.storage)}
    return x, [x, *held.values()] if held else []


def _run(
    machine: Machine, part: RecordedPart, program: Steps, x: Tensor | None, term: str, shared: Shared
) -> dict[int, Tensor]:
    tape, values = machine.tape, {number: shared[label] for label, number in program.imports.items()}
    if x is not None:
        values[0] = x
    del x
    for step in program.steps:
        tape.term = term or _term(step, program.output)
        if step.name == "linear":
            values[step.outputs[0][0]] = _linear(machine, step, values[step.inputs[0]], part)
        elif step.name == "attention":
            values[step.outputs[0][0]] = _attention(tape, step, values)
        elif step.name == "embedding" and part.table is not None and not step.inputs:
            _, numel, element, _ = step.outputs[0]
            rows = tape.new(Form(*numel), element)
            values[step.outputs[0][0]] = (
                looked_up(machine, rows, part.table.weight) if part.table.weight.trained else rows
            )
            del rows
        else:
            _operator(machine, step, values, part.parameters)
        for number, *_ in step.outputs:
            if part.table is not None and number == program.hooked:
                values[number] = _hooked(machine, part.table, values.pop(number))
        for number in step.freed:
            values.pop(number, None)
    return values


def _linear(machine: Machine, step: Step, x: Tensor, part: RecordedPart) -> Tensor:
    """A linear module.

    Raises:
        NotKnownError: it puts out another dtype than the operators behind it were recorded with, as DoRA does.
    """
    out = linear(machine, x, part.linears[step.module], machine.tape.term)
    if out.element != step.outputs[0][2]:
        said = f"the memory of a recorded model whose {step.module} puts out another dtype, as DoRA makes it"
        raise NotKnownError(Missing(said, ("model", "config")))
    return out


def _hooked(machine: Machine, table: Embedding, x: Tensor) -> Tensor:
    """What the table's module puts out, with what is hooked to it and added."""
    if table.hooked and not table.weight.trained:
        x.node = Leaf(x.storage)
    return x if table.adapter is None else adapted(machine, x, table, table.adapter)


def _term(step: Step, output: int) -> str:
    """The name under which storages are counted, by the module that makes them."""
    if any(number == output for number, *_ in step.outputs):
        return LAYER_INPUTS
    last = step.module.rpartition(".")[2].lower()
    if "norm" in last or last.startswith("ln"):
        return "norms"
    if "attn" in step.module.lower() or "attention" in step.module.lower():
        return "attention"
    return "mlp" if step.module else LAYER_INPUTS


def _attention(tape: Tape, step: Step, values: Mapping[int, Tensor]) -> Tensor:
    query, key, value = (values[number] for number in step.inputs[:3])
    mask = None
    if step.mask:
        numel, element = step.mask
        given = values.get(step.inputs[3])
        kept = given or op.NO_STORAGE
        mask = kept if element == query.element else tape.new(Form(*numel), query.element)  # in the kernel's dtype
    out = Form(*step.outputs[0][1])
    return products.attention(tape, query, key, value, Form(0, step.heads), mask, Form(*step.work), out)


CONSTANT = Tensor(None, NOTHING, 0)
"""What comes from outside a part."""


def _operator(
    machine: Machine, step: Step, values: dict[int, Tensor], parameters: Mapping[str, ParameterTensor]
) -> None:
    """Run one operator: save, allocate, and give the outputs their way back."""
    tape = machine.tape
    inputs = [_input(one, values, parameters) for one in step.inputs]
    if step.name == "_to_copy" and _is_cached(machine, step, inputs):
        values[step.outputs[0][0]] = _copied(machine, inputs[0], step)
        return
    able = [inputs[place] for place in step.able]
    nodes = [one.sink if isinstance(one, ParameterTensor) else one.node for one in able]
    way = _way(step, nodes) if tape.differentiating else None
    held = _saved_inputs(tape, way, inputs) if way else []
    tape.multiply(Form(*step.work))
    outputs = []
    for number, numel, element, alias in step.outputs:
        storage = _storage(inputs[alias]) if alias is not None else None
        made = Tensor(storage, Form(*numel), element) if alias is not None else tape.new(Form(*numel), element)
        outputs.append(made)
        values[number] = made
    if way is None:
        return
    held += [tape.save(outputs[which]) for kind, which in way.saved if kind == "o"]
    derivative = RecordedDerivative(tape, way, [isinstance(one, ParameterTensor) for one in able])
    if len(outputs) == 1:
        tape.record(outputs[0], nodes, derivative.single, held)
        op.fitting(tape, outputs[0], able)
    else:
        several(tape, outputs, nodes, derivative, held, able)


def _input(
    one: int | str | None, values: Mapping[int, Tensor], parameters: Mapping[str, ParameterTensor]
) -> Tensor | ParameterTensor:
    if one is None:
        return CONSTANT
    return values.get(one, CONSTANT) if isinstance(one, int) else parameters[one.removesuffix(".weight")]


def _storage(one: Tensor | ParameterTensor) -> TensorStorage | None:
    return one.storage if isinstance(one, Tensor) else None


def _is_cached(machine: Machine, step: Step, inputs: Sequence[Tensor | ParameterTensor]) -> bool:
    """Whether a copy is one that autocast makes of a weight, and keeps."""
    narrow = machine.compute is not None and step.outputs[0][2] == machine.compute
    return narrow and isinstance(inputs[0], ParameterTensor)


def _copied(machine: Machine, weight: Tensor | ParameterTensor, step: Step) -> Tensor:
    made = narrowed(machine.tape, weight, step.outputs[0][2], turned=False)
    return made if isinstance(made, Tensor) else Tensor(None, made.numel, made.element, made.sink)


def _way(step: Step, nodes: Sequence[Node | None]) -> Way | None:
    if not step.ways or not any(nodes):
        return None
    name = "".join("0" if node is None else "1" for node in nodes)
    return step.ways.get(name) or step.ways.get("1" * len(nodes))


def _saved_inputs(tape: Tape, way: Way, inputs: Sequence[Tensor | ParameterTensor]) -> list[Saved]:
    held = []
    for kind, which in way.saved:
        if kind == "i":
            one = inputs[which]
            held.append(tape.save(one if isinstance(one, Tensor) else op.NO_STORAGE))
        elif kind == "n":
            held.append(tape.save(tape.new(Form(*which), 1)))
    return held
