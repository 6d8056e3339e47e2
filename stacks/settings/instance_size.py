"""What an instance class can have at most, where its name says so, and thresholds beyond it."""

from __future__ import annotations

import re
from typing import Final

from stacks.settings.database import NewInstance
from stacks.settings.monitoring import InstanceThresholds
from stacks.settings.refusal import refuse

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html
_SMALL_GIB: Final = {"micro": 1, "small": 2, "medium": 4}
"""Memory of the small sizes, which only burstable families have."""
_LARGE_GIB: Final = {"t": 8, "m": 8, "r": 16}
"""Memory of ``large`` by the family's first letter; from there on, memory doubles with the processors."""
_BYTES_OF_A_CONNECTION: Final = 9_531_392
_MOST_CONNECTIONS: Final = 5000
"""Of the default ``LEAST({DBInstanceClassMemory/9531392}, 5000)``.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
"""


def memory_gib(instance_class: str) -> int | None:
    """Memory of a class in GiB; None where its name does not say."""
    match = re.fullmatch(r"db\.([tmr])\d[a-z]*\.(micro|small|medium|large|(\d*)xlarge)", instance_class)
    if match is None:
        return None
    family, size, times = match.groups()
    if size in _SMALL_GIB:
        return _SMALL_GIB[size] if family == "t" else None
    return _LARGE_GIB[family] * (1 if size == "large" else 2 * int(times or 1))


def most_connections(instance_class: str, parameter: str | None) -> int | None:
    """An upper bound of ``max_connections``; None where a parameter computes it.

    Args:
        instance_class: of the instance. RDS keeps a part of its memory for itself, so it takes fewer in fact.
        parameter: ``max_connections`` of the parameter group; None where it is the default.
    """
    if parameter is not None:
        return int(parameter) if parameter.isdecimal() else None
    memory = memory_gib(instance_class)
    if memory is None:
        return _MOST_CONNECTIONS
    return min(memory * 2**30 // _BYTES_OF_A_CONNECTION, _MOST_CONNECTIONS)


def check_limits(new: NewInstance, limits: InstanceThresholds) -> None:
    """Refuse thresholds of the instance's alarms that its class can't reach, or never leaves.

    Raises:
        PydanticCustomError: which threshold, and what to write.
    """
    connections = most_connections(new.instance_class, new.parameters.get("max_connections"))
    if connections is not None and limits.most_connections >= connections:
        raise refuse(
            at="monitoring.instance.most_connections",
            value=f"{limits.most_connections} on {new.instance_class}",
            rule=f"max_connections is {connections} at most there, so the alarm could never be raised",
            fix=f"write for example {max(1, connections * 8 // 10)}, or set max_connections under parameters",
        )
    memory = memory_gib(new.instance_class)
    if memory is not None and limits.least_memory_mib * 2 > memory * 1024:
        raise refuse(
            at="monitoring.instance.least_memory_mib",
            value=f"{limits.least_memory_mib} on {new.instance_class}",
            rule=f"the class has {memory * 1024} MiB in all, and PostgreSQL and the system need half of them: the "
            "alarm would never end",
            fix=f"write for example {memory * 1024 // 16}",
        )
