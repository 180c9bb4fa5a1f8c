"""The random numbers of `brasa.backends.reference.Random`, drawn in any order."""

from __future__ import annotations

import triton
import triton.language as tl

_STEP = tl.constexpr(0x9E3779B97F4A7C15)
_FIRST = tl.constexpr(0xBF58476D1CE4E5B9)
_SECOND = tl.constexpr(0x94D049BB133111EB)
# `brasa.plan.ALWAYS`.
_ALWAYS = tl.constexpr(0xFFFFFFFF)


@triton.jit
def _mix(z):
    z = (z ^ (z >> 30)) * _FIRST
    z = (z ^ (z >> 27)) * _SECOND
    return z ^ (z >> 31)


@triton.jit
def stream(seed, number):
    """The state before the first number of a stream, uint64."""
    return _mix(seed.to(tl.uint64) ^ _mix(number.to(tl.uint64) + 1))


@triton.jit
def bits_at(state, n):
    """64 random bits: what call n + 1 from `state` gives."""
    return _mix(state + (n.to(tl.uint64) + 1) * _STEP)


@triton.jit
def next_state(state):
    """The state after one call more, whose bits are ``last_bits(state)``."""
    return state + _STEP


@triton.jit
def last_bits(state):
    """The bits that the call gave which made this state."""
    return _mix(state)


@triton.jit
def scaled(bits, n):
    """64 random bits as a number of ``range(n)``, int32."""
    return (((bits >> 32) * n.to(tl.uint64)) >> 32).to(tl.int32)


@triton.jit
def is_kept(bits, keep):
    """Whether a token whose word has this probability is kept."""
    return (keep == _ALWAYS) | ((bits >> 32) < keep.to(tl.uint64))


@triton.jit
def from_table(bits, accept, alias, n, mask):
    """From the distribution of an alias table with n slots."""
    slot = scaled(bits, n)
    accepted = (bits & 0xFFFFFFFF) < tl.load(accept + slot, mask=mask, other=0).to(tl.uint64)
    return tl.where(accepted, slot, tl.load(alias + slot, mask=mask, other=0))
