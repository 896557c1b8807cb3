"""Attention implementations, each counted as the kernel whose tensors live as long.

Sources: transformers 5.23.0, `modeling_flash_attention_utils.py` (names of kernels on the Hub) and
`integrations/flex_attention.py`; flash-attention, `hopper/flash_attn_interface.py`: like version 2, version 3 holds
queries, keys, values, output and one fp32 number a row, and its backward pass sums queries' gradients in fp32. It sums
those of keys and values in fp32 too, for each key head, where version 2 makes 16-bit ones for each query head: no more
where at least two queries share a key. `flex_attention` holds the same; its masks are blocks of 128 by 128 tokens, and
its backward pass, which Inductor compiles, is taken to need no more than that of version 2.
"""

from __future__ import annotations

from collections.abc import Mapping

FLASH = "flash_attention_2"
HUB = "kernels-community/"
"""Kernels that the package `kernels` fetches from the Hugging Face Hub."""

KERNELS: Mapping[str, str] = {
    "eager": "eager",
    "sdpa": "sdpa",
    FLASH: FLASH,
    "flash_attention_3": FLASH,
    "flex_attention": FLASH,
    f"{HUB}flash-attn2": FLASH,
    f"{HUB}flash-attn3": FLASH,
    f"{HUB}vllm-flash-attn3": FLASH,
}
"""By `attn_implementation`, the kernel that it is counted as."""
