"""Traces of real transformers + peft models: what the closed form of memory is held against."""
