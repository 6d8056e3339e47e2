"""The command, stopped at a chosen call; run as ``python -m tests.support.halted POINT ARGUMENTS``.

Imports nothing else: most of what a test of it takes is the start of Python.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any


def _install(point: str) -> None:
    module_name, name, when, text, number = point.split(":")
    owner: Any = importlib.import_module(module_name)
    *parents, last = name.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    real = getattr(owner, last)
    calls = 0

    def halting(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += text in repr((arguments, named))
        here = text in repr((arguments, named)) and calls == int(number)
        if here and when == "before":
            os.kill(os.getpid(), signal.SIGSTOP)
        result = real(*arguments, **named)
        if here and when == "after":
            os.kill(os.getpid(), signal.SIGSTOP)
        return result

    setattr(owner, last, halting)


if __name__ == "__main__":
    _install(sys.argv.pop(1))
    from dbbackup.cli.main import main

    main()
