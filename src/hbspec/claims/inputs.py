"""The inputs of a computed quantity, in numbers: the second half of a contradiction's message."""

from __future__ import annotations

from decimal import Decimal

from hbspec.analysis import Analysis
from hbspec.catalog import Price
from hbspec.catalog.parameters import linear_parameters, total_parameters
from hbspec.diagnostics import known
from hbspec.estimators.serving.cost import HOURS_PER_DAY, charges
from hbspec.estimators.serving.decoding import streamed_bytes
from hbspec.estimators.serving.endpoint import weights_bytes
from hbspec.estimators.weights import served_experts
from hbspec.units import DAYS_PER_MONTH, bytes_text, count_text, money_text, seconds_text, significant

NAMES = {"training": "SageMaker training", "hosting": "SageMaker hosting", "studio": "SageMaker Studio", "ec2": "EC2"}
SAME = Decimal("0.01")


def parameters(analysis: Analysis) -> str:
    """`"32,763,876,352 parameters"`, or what the config of a model allows that is not modelled."""
    if analysis.bounds is not None:
        least, _, most = analysis.bounds.parameters.map(round).to_dict().values()
        return f"{count_text(least)} to {count_text(most)} parameters by the config of {analysis.bounds.model_type}"
    return f"{total_parameters(analysis.plan.require('architecture')):,} parameters"


def four_bit_weights(analysis: Analysis) -> str:
    """The quantised and unquantised parameters, and their size with and without k-bit preparation."""
    architecture = analysis.plan.require("architecture")
    quantised = linear_parameters(architecture)
    rest = total_parameters(architecture) - quantised
    serve = weights_bytes(architecture, "nf4")
    return (
        f"{count_text(quantised)} in 4 bits + {significant(8 * (serve - 2 * rest) / quantised - 4)} bits of scales, "
        f"{count_text(rest)} in 16 bits: {bytes_text(serve)} to serve, and {bytes_text(serve + 2 * rest)} to train "
        "where k-bit preparation converts the 16-bit ones to fp32"
    )


def served_weights(analysis: Analysis) -> str:
    """`four_bit_weights` for weights served in nf4, else the parameters and the quantisation."""
    quantization = analysis.serving_plan.quantization
    if quantization == "nf4":
        return four_bit_weights(analysis)
    return f"{parameters(analysis)}, quantization {quantization}"


def batch(analysis: Analysis) -> str:
    """The three factors of the effective batch size: `"1 x 4 x 8"`."""
    plan = analysis.plan
    return f"{plan.training.micro_batch} x {plan.training.gradient_accumulation} x {plan.data_parallel_size}"


def examples(analysis: Analysis) -> str:
    """`"300 updates over 2,198 examples, 69 updates per epoch"`."""
    counts = analysis.plan.require("counts")
    return (
        f"{count_text(counts.optimizer_steps)} updates over {count_text(counts.examples)} examples, "
        f"{count_text(counts.steps_per_epoch)} updates per epoch"
    )


def duration(analysis: Analysis) -> str:
    """Updates, the time of each, and the token lengths behind it."""
    plan = analysis.plan
    counts = plan.require("counts")
    return (
        f"{count_text(counts.optimizer_steps)} updates of {seconds_text(analysis.time.step_seconds.expected)}, "
        f"{significant(plan.row_tokens.expected)} tokens per example ({plan.lengths.source})"
    )


def cost(analysis: Analysis) -> str:
    """Billed time and price."""
    price = known(analysis.plan.price, "a price")
    hours = analysis.time.billed_seconds.map(lambda seconds: seconds / 3600)
    return f"{significant(hours.low)} to {significant(hours.high)} h x {price.rate}"


def memory_total(analysis: Analysis) -> str:
    """The number of GPUs in the sum, and the memory of the fullest."""
    gpus = len(analysis.memory.devices) * analysis.spec.instance.count
    return f"the sum over {gpus} GPUs, {bytes_text(analysis.memory.fullest.process.expected)} on the fullest"


def memory_per_gpu(analysis: Analysis) -> str:
    """The largest terms of the fullest GPU."""
    terms = sorted(analysis.memory.fullest.terms.items(), key=lambda term: -term[1])[:3]
    return ", ".join(f"{name.replace('_', ' ')} {bytes_text(size)}" for name, size in terms)


def latency(analysis: Analysis) -> str:
    """The bytes streamed for each token, the bandwidth, and the number of tokens."""
    plan, serving = analysis.serving_plan, analysis.serving
    architecture = known(plan.architecture, "the architecture")
    whole = served_experts(architecture, plan.quantization)
    streamed = streamed_bytes(architecture, serving.weights_bytes, experts_bytes=whole)
    machine = known(plan.hardware, "the endpoint's hardware")
    bandwidth = known(machine.gpu.bandwidth, "its bandwidth")
    return (
        f"{bytes_text(streamed)} streamed per token over {plan.tensor_parallel} x {bytes_text(bandwidth)}/s, "
        f"{significant(plan.output_tokens or 0)} tokens"
    )


def endpoint_cost(analysis: Analysis, hours: int) -> str:
    """The price and its basis, and the cost in us-east-1, whose prices most documents quote."""
    plan = analysis.serving_plan
    price, machine = known(plan.price, "a price"), known(plan.hardware, "the endpoint's hardware")
    text = f"{price.rate} x {machine.instances} in {plan.region}, {price.basis}"
    billed = charges(plan)
    if billed is not None and billed.baseline is not None:
        text += f", and {billed.baseline}/h of the baseline's instances"
    home = analysis.catalog.price(machine.name, "us-east-1", "hosting")
    if home and plan.region != "us-east-1":
        amount = money_text(home.usd_per_hour * machine.instances * hours)
        text += f"; in us-east-1 {money_text(home.usd_per_hour)} USD/h, so {amount} USD"
    return text


def daily_cost(analysis: Analysis) -> str:
    """`endpoint_cost` for one day."""
    return endpoint_cost(analysis, HOURS_PER_DAY)


def monthly_cost(analysis: Analysis) -> str:
    """`endpoint_cost` for 30 days."""
    return endpoint_cost(analysis, HOURS_PER_DAY * DAYS_PER_MONTH)


def price(analysis: Analysis, instance_type: str, region: str, chosen: Price, believed: str) -> str:
    """The basis of the chosen price, and the service that charges the believed price, if one does."""
    text = f"{chosen.basis}, {chosen.as_of or 'undated'}"
    number = Decimal(believed.split()[0]) if believed.split()[0].replace(".", "", 1).isdigit() else None
    if number is None:
        return text
    others = [
        other
        for other in analysis.catalog.observed_prices(instance_type, region)
        if number and abs(other.usd_per_hour - number) / number <= SAME
    ]
    if others:
        other = max(others, key=lambda row: str(row.as_of or ""))
        text += f"; {believed} is {NAMES.get(other.component, other.component)}'s price of {other.as_of or 'no date'}"
    return text
