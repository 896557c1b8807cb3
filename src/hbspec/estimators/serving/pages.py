"""How vLLM lays out the cache of a model whose layers hold different amounts of a token: in pages of one size.

A page holds a block of tokens of a layer that attends, or the whole state of a layer of one request. Blocks are made
so long, in multiples of 16 tokens, that they take as much as a state (vllm/platforms/interface.py and earlier
vllm/model_executor/models/config.py, "Setting attention block size to … tokens"), and states are padded to a page.
Layers of a kind are grouped by as many as the rarer kind has, and each group has blocks of its own
(vllm/v1/core/kv_cache_utils.py, `_get_kv_cache_groups_uniform_page_size`). A state takes one page a request; with
prefix caching, which such models do not have unless it is asked for, it takes two (`MambaSpec` in
vllm/v1/kv_cache_interface.py). Left out: speculative tokens, and models all of whose layers carry states.

Where layers that attend to everything have heads of their own, the blocks of those with less of a token are so much
longer (`unify_kv_cache_spec_page_size`), as since release 0.21; before, all layers held every token.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.config_fields import LARGEST
from hbspec.catalog.layers import CONVOLUTION, FULL, HYBRID, LINEAR, SLIDING

BLOCK = 16
"""Tokens of which a block is a multiple."""

WIDE_STATES = frozenset({"qwen3_5_text", "qwen3_5_moe_text"})
"""Families whose configs ask for states in 32 bits (`mamba_ssm_dtype`); those of others are in 16, as the model is."""

FEW_MORE = 1.5
"""Where the more frequent kind has fewer times as many layers as the other, groups are as large as it."""


class Pages(NamedTuple):
    """The layout on one GPU.

    Attributes:
        block: tokens of a block.
        page: bytes of one layer's block, or of one layer's state.
        together: layers of a group.
        growing: groups of layers that attend, which hold a block for every `block` tokens of a request.
        fixed: groups of layers with states, which hold one page of a request.
    """

    block: int
    page: int
    together: int
    growing: int
    fixed: int

    def request_bytes(self, tokens: float) -> int:
        """Bytes on one GPU of a request of so many tokens."""
        return self.together * self.page * (self.growing * ceil(tokens / self.block) + self.fixed)

    def longest(self, room: float) -> int:
        """The most tokens of a request that takes at most so many bytes on one GPU."""
        pages = int(max(0.0, room) / (self.together * self.page))
        return max(0, (pages - self.fixed) // self.growing) * self.block


class WindowedPages(NamedTuple):
    """The layout on one GPU of layers with windows and of layers that attend to everything, whose heads differ.

    Attributes:
        block: tokens of a block of a layer that attends to everything.
        page: bytes of one layer's block.
        together: layers of a group.
        growing: groups of layers that attend to everything.
        windowed: groups of layers with a window.
        near: tokens of a block of a layer with a window.
        kept: the most tokens that such a layer keeps of a request.
    """

    block: int
    page: int
    together: int
    growing: int
    windowed: int
    near: int
    kept: int

    def request_bytes(self, tokens: float) -> int:
        """Bytes on one GPU of a request of so many tokens; a window lies over one block more than it fills."""
        near = ceil(min(tokens, self.kept) / self.near) + 1
        return self.together * self.page * (self.growing * ceil(tokens / self.block) + self.windowed * near)

    def longest(self, room: float) -> int:
        """The most tokens, in whole blocks, of a request that takes at most so many bytes on one GPU."""
        low, high = 0, max(0, int(room / (self.together * self.page * self.growing)))
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.request_bytes(middle * self.block) <= room
            low, high = (middle, high) if fits else (low, middle - 1)
        return low * self.block


def windowed_pages(architecture: Architecture, parts: int, element: int = 2, scheduled: int = 1) -> WindowedPages:
    """The layout on each of `parts` GPUs of a model whose layers that attend to everything have heads of their own.

    Args:
        architecture: the model.
        parts: GPUs that share every layer; each holds at least one key-value head.
        element: bytes of each number of the cache.
        scheduled: tokens computed at once, which are kept beside those of the window: 1 while answering.
    """
    everything = architecture.layer_types.count(FULL)
    near, far = architecture.heads(SLIDING), architecture.heads(FULL)
    held = [2 * element * max(1, heads.key_values // parts) * heads.width for heads in (near, far)]
    fewest, most = sorted((everything, len(architecture.layer_types) - everything))
    together = most if most < FEW_MORE * fewest else fewest
    blocks = [BLOCK * max(held) // each for each in held]
    return WindowedPages(
        block=blocks[1],
        page=BLOCK * max(held),
        together=together,
        growing=ceil(everything / together),
        windowed=ceil((len(architecture.layer_types) - everything) / together),
        near=blocks[0],
        kept=(architecture.sliding_window or LARGEST) - 1 + scheduled,
    )


def pages_of(architecture: Architecture, parts: int, element: int = 2) -> Pages:
    """The layout on each of `parts` GPUs that share every layer, with `element` bytes of each number of the cache."""
    kinds = architecture.layer_types
    attending = architecture.attention_layers
    carrying = sum(kind in (LINEAR, CONVOLUTION, HYBRID) for kind in kinds)
    heads = max(1, architecture.num_key_value_heads // parts)
    token = 2 * heads * architecture.head_dim * element
    block = BLOCK * ceil(state_bytes(architecture, parts) / (BLOCK * token))
    fewest, most = sorted((attending, carrying))
    together = most if most < FEW_MORE * fewest else fewest
    return Pages(block, block * token, together, ceil(attending / together), ceil(carrying / together))


def state_bytes(architecture: Architecture, parts: int) -> float:
    """Bytes on each of `parts` GPUs of one request's state in one layer (`mamba_utils.MambaStateShapeCalculator`).

    A convolution keeps the tokens that it sees but the newest, in 16 bits. Groups of a state space that do not divide
    among the GPUs are repeated.
    """
    wide = 4 if architecture.model_type in WIDE_STATES else 2
    linear, space, short = architecture.linear_attention, architecture.state_space, architecture.short_convolution
    if linear is not None:
        return (2 * linear.convolved * (linear.conv_kernel_dim - 1) + wide * linear.state) / parts
    if space is not None:
        groups = space.groups if space.groups % parts == 0 else parts
        convolved = space.inner + 2 * groups * space.state
        return (2 * convolved * (space.kernel - 1) + wide * space.states) / parts
    kernel = short.kernel if short is not None else 1
    return 2 * architecture.hidden_size * (kernel - 1) / parts
