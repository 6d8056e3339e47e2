"""Names of the metrics in a PromQL expression."""

from __future__ import annotations

import re
from typing import Final

# What may stand before a parenthesis, a brace or a name and is no metric.
_WORDS: Final = {
    *("and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset"),
    *("sum", "min", "max", "avg", "count", "topk", "inf", "nan"),
}
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACED: Final = re.compile(r"[{\[][^}\]]*[}\]]")
_NAME: Final = re.compile(r"(?<![\w.$])([A-Za-z_:][\w:]*)(?!\s*\(|\w)")


def metrics_of(expression: str) -> set[str]:
    """Every metric that an expression asks for: names that are no function, label, duration or word of the language."""
    bare = _BRACED.sub(" ", _GROUPING.sub(" ", _QUOTED.sub(" ", expression)))
    return {name for name in _NAME.findall(bare) if name.lower() not in _WORDS}
