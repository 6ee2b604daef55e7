"""The classes that look different in Lua than their attributes say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from prosody_py.api.module import Module
from prosody_py.events.bus import Events
from prosody_py.hosts.host import Host
from prosody_py.lua import (
    account_faces,
    connection_faces,
    http_faces,
    polls,
    pubsub_faces,
    room_faces,
    roster_faces,
    socket_faces,
)
from prosody_py.lua.events import LuaHandler
from prosody_py.lua.proxies import Face
from prosody_py.lua.references import LuaCallable
from prosody_py.lua.session_face import SessionFace, StreamFace
from prosody_py.sessions.session import Session
from prosody_py.xmpp.parser import StreamParser


class LoadedModules(Mapping):
    """The modules of a host as Lua sees them: by name what each one exports."""

    def __init__(self, modules: dict[str, Module]):
        self._modules = modules

    def __getitem__(self, name: str) -> Any:
        return self._modules[name].exports

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._modules))

    def __len__(self) -> int:
        return len(self._modules)


_loaded: WeakKeyDictionary[Host, LoadedModules] = WeakKeyDictionary()


def loaded_modules(host: Host) -> LoadedModules:
    """Return the view of a host's modules, the same each time."""
    view = _loaded.get(host)
    if view is None:
        view = _loaded[host] = LoadedModules(host.modules)
    return view


class HostFace(Face):
    """A host: `modules` has what modules export."""

    fields = {"modules": lambda border, host: loaded_modules(host)}


def _handler(border, raw: Any) -> Any:
    function = border.to_python(raw)
    return LuaHandler(border, function) if isinstance(function, LuaCallable) else function


def _add_handler(border, events: Events, name: Any, raw: Any, priority: float = 0) -> None:
    events.add_handler(border.to_python(name), _handler(border, raw), priority or 0)


def _remove_handler(border, events: Events, name: Any, raw: Any) -> None:
    events.remove_handler(border.to_python(name), _handler(border, raw))


def _add_handlers(border, events: Events, raw: Any) -> None:
    for name, function in border.to_python(raw).items():
        _add_handler(border, events, border.to_lua(name), border.to_lua(function))


def _remove_handlers(border, events: Events, raw: Any) -> None:
    for name, function in border.to_python(raw).items():
        _remove_handler(border, events, border.to_lua(name), border.to_lua(function))


def _get_handlers(border, events: Events, name: Any) -> list[Any] | None:
    found = events.get_handlers(border.to_python(name))
    return border.copy_to_lua([getattr(handler, "callable", handler) for handler in found]) \
        if found else None


def _fire_event(border, events: Events, name: Any, data: Any = None) -> Any:
    return events.fire_event(border.to_python(name), border.to_python(data))


def _add_wrapper(border, events: Events, name: Any, wrapper: Any) -> None:
    events.add_wrapper(border.to_python(name) or None, border.to_python(wrapper))


def _remove_wrapper(border, events: Events, name: Any, wrapper: Any) -> None:
    events.remove_wrapper(border.to_python(name) or None, border.to_python(wrapper))


class EventsFace(Face):
    """An events object; its functions are called with a dot."""

    fields = {"_handlers": lambda border, events: events.index}
    functions = {
        "add_handler": _add_handler, "remove_handler": _remove_handler,
        "add_handlers": _add_handlers, "remove_handlers": _remove_handlers,
        "get_handlers": _get_handlers, "fire_event": _fire_event,
        "add_wrapper": _add_wrapper, "remove_wrapper": _remove_wrapper,
    }


class ModuleFace(Face):
    """What a Python module exports: its functions are called with a dot."""

    dotted = True
    fields = {"module": lambda border, namespace: border.module_of_exports(namespace)}


def faces() -> dict[type | str, Face]:
    """Return the face of each class that has one."""
    return {Host: HostFace(), Events: EventsFace(), ModuleType: ModuleFace(),
            Session: SessionFace(), StreamParser: StreamFace(), **roster_faces.FACES,
            **account_faces.FACES, **connection_faces.FACES, **socket_faces.FACES, **polls.FACES,
            **http_faces.FACES, **pubsub_faces.FACES, **room_faces.FACES}
