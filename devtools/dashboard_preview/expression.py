"""The part of CloudWatch's metric math that our dashboard speaks: the four operations and FILL.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from devtools.dashboard_preview.series import Points

_OPERATIONS: Final[Mapping[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def evaluate(expression: str, metrics: Mapping[str, Points], periods: Sequence[int]) -> Points:
    """The values of an expression.

    Args:
        expression: such as ``m1/3600`` or ``FILL(m1, 0)+FILL(m2, 0)``.
        metrics: datapoints by identifier.
        periods: starts of all periods in the range, which FILL fills.

    Raises:
        ValueError: it says something that is not spoken here.
    """
    try:
        value = _value(ast.parse(expression, mode="eval").body, metrics, periods)
    except SyntaxError as error:
        raise ValueError(f"{expression!r} is not metric math that is drawn here") from error
    return value if isinstance(value, dict) else dict.fromkeys(periods, value)


def _value(node: ast.expr, metrics: Mapping[str, Points], periods: Sequence[int]) -> Points | float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in metrics:
            return metrics[name]
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATIONS:
            return _combine(_OPERATIONS[type(sign)], _value(left, metrics, periods), _value(right, metrics, periods))
        case ast.Call(func=ast.Name(id="FILL"), args=[what, by]):
            points, filling = _value(what, metrics, periods), _value(by, metrics, periods)
            if isinstance(points, dict) and isinstance(filling, float):
                return dict.fromkeys(periods, filling) | points
    raise ValueError(f"{ast.unparse(node)!r} is not metric math that is drawn here")


def _combine(operate: Callable[[float, float], float], left: Points | float, right: Points | float) -> Points | float:
    """Period by period; where one side has no data there is none."""
    if isinstance(left, dict) and isinstance(right, dict):
        return {at: operate(left[at], right[at]) for at in left if at in right}
    if isinstance(left, dict):
        return {at: operate(value, right) for at, value in left.items()}  # type: ignore[arg-type]
    if isinstance(right, dict):
        return {at: operate(left, value) for at, value in right.items()}
    return operate(left, right)
