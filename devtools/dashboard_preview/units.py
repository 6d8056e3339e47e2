"""Numbers as a person reads them, and the marks of an axis."""

from __future__ import annotations

import math
from typing import Final

_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_THOUSANDS: Final = ("", " k", " M", " G", " T")
_SHORT: Final = {"Seconds": " s", "Percent": " %", "Bytes/Second": " B/s"}


def number(value: float, unit: str = "None") -> str:
    """A value with its unit: two or three digits that matter, bytes in binary units."""
    if unit == "Bytes":
        scale = _binary(value)
        return f"{_digits(value / 1024**scale)} {_BINARY[scale]}"
    return f"{_digits(value)}{_SHORT.get(unit, '')}"


def short(value: float, unit: str = "None") -> str:
    """A value at an axis, where thousands and millions are letters."""
    if unit == "Bytes" or abs(value) < 10_000:
        return number(value, unit)
    power = min(int(math.log10(abs(value)) // 3), len(_THOUSANDS) - 1)
    return f"{value / 1000**power:.3g}{_THOUSANDS[power]}"


def ticks(top: float, unit: str = "None", about: int = 4) -> list[float]:
    """Marks from zero up to at least ``top``, at round values of the unit."""
    scale = 1024.0 ** _binary(top) if unit == "Bytes" else 1.0
    step = _round_step(top / scale / about) * scale
    return [step * index for index in range(math.ceil(top / step - 1e-9) + 1)]


def _binary(value: float) -> int:
    return min(int(math.log(abs(value), 1024)), len(_BINARY) - 1) if abs(value) >= 1 else 0


def _digits(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    # Of what is next to nothing the zeros take the room, and the third digit says nothing.
    return f"{value:.3g}" if abs(value) >= 0.1 else f"{value:.2g}"


def _round_step(step: float) -> float:
    magnitude: float = 10.0 ** math.floor(math.log10(step))
    return next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= step * 0.999)
