"""Whether the functions of a Python module can be called as they will be, before it is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from prosody_py.api.errors import LoadError

LIFE_CYCLE = {"load": "module", "ready": "module", "save": "module", "restore": "module, saved",
              "unload": "module", "add_host": "module"}
HANDLER = "module, event"
"""What a handler of an event or of an iq is called with."""


def check_call(function: Callable, arguments: str) -> None:
    """Raise LoadError, with file and line, for a function that cannot be called with these."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return  # a class or something built in
    place = f"{code.co_filename}:{code.co_firstlineno}: "
    name = function.__name__
    if inspect.iscoroutinefunction(function):
        raise LoadError(f"{place}{name} is async, and nobody would await it; write 'def {name}': "
                        "calls that wait look like any others here")
    try:
        inspect.signature(function).bind(*arguments.split(", "))
    except TypeError as error:
        raise LoadError(f"{place}{name} is called as {name}({arguments}): {error}") from None
