"""Switch off modules that fail again and again.

With the option `module_error_limit`, such as "20/minute", an instance with more errors than that
is unloaded from its host, and with it what depends on it. It comes back when it is loaded again,
by the shell or by a reload of the configuration.
"""

from __future__ import annotations

import logging
from collections import deque
from time import monotonic
from typing import Any

import gevent

from prosody_py.api.errors import LoadError
from prosody_py.config.options import Option, Options, frequency
from prosody_py.events.bus import Event

log = logging.getLogger("modules")


class ErrorLimit(Options):
    """What is read for each host."""

    module_error_limit = frequency(None, doc="Errors after which a module is switched off.")


_OPTION: Option = next(iter(ErrorLimit.declared()))


class SwitchOff:
    """Counts the errors of loaded modules, and knows those that it has switched off.

    `reasons` maps (host, name) of what was switched off to a text.
    """

    def __init__(self, modules: Any):
        self._modules = modules
        self.reasons: dict[tuple[str, str], str] = {}

    def error_in(self, module: Any) -> None:
        """Note an error of a module; never blocks, so the unloading comes a little later."""
        written = self._modules.server.config.get(module.host, _OPTION.name)
        if not written:
            return
        limit = _OPTION.parse(written)
        times = module.__dict__.setdefault("error_times", deque(maxlen=limit.count + 1))
        if times.maxlen != limit.count + 1:  # the option has changed
            times = module.error_times = deque(times, maxlen=limit.count + 1)
        times.append(monotonic())
        if len(times) > limit.count and times[-1] - times[0] <= limit.seconds:
            times.clear()
            gevent.spawn(self._switch_off, module, f"more than {written} errors, the last in "
                         f"{module.last_error}")

    def _switch_off(self, module: Any, reason: str) -> None:
        modules, host, name = self._modules, module.host, module.name
        if modules.get_module(host, name) is not module:
            return  # somebody was faster
        with_it = modules.needing(module)
        log.warning("mod_%s on %s is switched off: %s", name, host, reason)
        try:
            modules.unload(host, name)
        except LoadError as error:
            log.error("mod_%s on %s cannot be switched off: %s", name, host, error)
            return
        self.reasons[host, name] = reason
        for other in with_it:
            log.warning("mod_%s on %s is switched off with it", other.name, other.host)
            self.reasons[other.host, other.name] = f"it needs mod_{name}"
        self._modules.server.events.fire_event(
            "module-switched-off", Event(module=name, host=host, reason=reason))

    def loaded(self, host: str, name: str) -> None:
        """Forget that a module was switched off: it is loaded again."""
        self.reasons.pop((host, name), None)
