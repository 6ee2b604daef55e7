"""The module API for Lua: what border/module.lua calls.

Functions take the border, the module and raw Lua values. Those in `PLAIN` never block and are
called below a Lua frame; those in `ASKING` are requests.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from prosody_py.api import measures, permissions
from prosody_py.api.errors import LoadError
from prosody_py.api.registrations import Undo
from prosody_py.lua.auth_provider import LuaAuthProvider
from prosody_py.lua.events import LuaHandler
from prosody_py.lua.net_service import LuaService
from prosody_py.lua.references import LuaCallable, LuaData
from prosody_py.lua.storage_provider import LuaStorageProvider
from prosody_py.lua.stores import KINDS, LuaStore, NoStore
from prosody_py.storage.interface import StorageError, UnsupportedStore

# -- events --------------------------------------------------------------------------------


def _priority(raw: Any) -> float:
    return float(raw or 0)  # Lua takes a text such as "5" for a number


def _handler(border, module, raw: Any) -> Any:
    function = border.to_python(raw)
    return LuaHandler(border, function, module.owner) if isinstance(function, LuaCallable) \
        else function  # such as a handler that Python has made


class _Foreign(Undo):
    """A handler of an events object that Lua code has made."""

    def __init__(self, events: Any, name: str, function: Any, do: Any, undo: Any):
        super().__init__(do, undo)
        self.key = (events, name, function)


def hook(border, module, event: bytes, handler: Any, priority: float | None = None) -> None:
    module.hook(border.to_python(event), _handler(border, module, handler), _priority(priority))


def hook_global(border, module, event: bytes, handler: Any, priority: Any = None) -> None:
    module.hook_global(border.to_python(event), _handler(border, module, handler),
                       _priority(priority))


def hook_object_event(border, module, events: Any, event: bytes, handler: Any,
                      priority: float | None = None) -> Any:
    """Hook an events object of Python's, or one that util.events has made."""
    events = border.to_python(events)
    if hasattr(type(events), "add_handler"):
        module.hook_object_event(events, border.to_python(event),
                                 _handler(border, module, handler), _priority(priority))
        return None
    add, remove = events.get("add_handler"), events.get("remove_handler")
    if not callable(add) or not callable(remove):
        raise ValueError("module:hook_object_event(): argument 1 has no add_handler and "
                         "remove_handler; give an events object of util.events")
    function = border.to_python(handler)
    name = border.to_python(event)
    module.registrations.add(_Foreign(events, name, function,
                                      lambda: add(name, function, priority or 0),
                                      lambda: remove(name, function)))
    return None


def unhook(border, module, event: bytes, handler: Any) -> None:
    module.unhook(border.to_python(event), _handler(border, module, handler))


def unhook_object_event(border, module, events: Any, event: bytes, handler: Any) -> None:
    events = border.to_python(events)
    if hasattr(type(events), "add_handler"):
        module.unhook_object_event(events, border.to_python(event),
                                   _handler(border, module, handler))
        return
    key = (events, border.to_python(event), border.to_python(handler))
    for entry in module.registrations.entries:
        if isinstance(entry, _Foreign) and entry.key == key:
            module.registrations.remove(entry)
            return


def wrap_event(border, module, event: Any, wrapper: Any) -> None:
    module.wrap_event(border.to_python(event) or None, border.to_python(wrapper))


def wrap_global(border, module, event: Any, wrapper: Any) -> None:
    module.wrap_global(border.to_python(event) or None, border.to_python(wrapper))


def wrap_object_event(border, module, events: Any, event: Any, wrapper: Any) -> None:
    module.wrap_object_event(border.to_python(events), border.to_python(event) or None,
                             border.to_python(wrapper))


# -- options -------------------------------------------------------------------------------


def option(border, module, kind: bytes, name: bytes, default: Any = None, *more: Any) -> Any:
    """Read an option; `more` is what stands after the default in Prosody's call."""
    kind = kind.decode()
    getter = module.get_option if kind == "option" else getattr(module, "get_option_" + kind)
    rest = [border.copy_to_python(value) for value in more]
    if kind == "path" and not any(rest):
        rest = [module.get_directory()]  # where Prosody starts, unlike for a Python module
    value = getter(border.to_python(name), border.copy_to_python(default), *rest)
    if isinstance(value, frozenset):
        value = sorted(value, key=str)
    return border.copy_to_lua(value)


# -- small things --------------------------------------------------------------------------


def call_when_ready(border, module, function: Any) -> None:
    module.on_ready(border.to_python(function))


def add_timer(border, module, seconds: float, function: Any, *args: Any) -> Any:
    return border.to_lua(module.add_timer(seconds, border.to_python(function),
                                          *map(border.to_python, args)))


def shared(border, module, *paths: bytes) -> Any:
    tables = [border.to_lua(module.shared(border.to_python(path))) for path in paths]
    return tuple(tables) if len(tables) > 1 else tables[0]


def find_library(border, module, raw_name: bytes) -> bytes | None:
    """Return the path of what `module:require` means, None when there is no such file."""
    name = border.to_python(raw_name)
    if ".." in name.split("/"):
        return None
    folders = [module.get_directory(), *module.server.modules.folders]
    for file in (name + ".lib.lua", name + ".lua"):
        for owner in (module.name, name):
            for folder in folders:
                for place in (f"mod_{owner}/{file}", f"{owner}/{file}", file):
                    path = os.path.join(folder, place)
                    if os.path.isfile(path):
                        return border.to_lua(path)
    return None


def resource_path(border, module, path: bytes) -> Any:
    return border.to_lua(os.path.join(module.get_directory(), border.to_python(path)))


def make_global(border, module) -> None:
    module.set_global()


def make_context(border, module, host: bytes | None = None) -> Any:
    return module.context(border.to_python(host) or "*")  # as it is: module.lua hides it in a table


def set_status(border, module, kind: bytes, text: Any = None, override: Any = None) -> None:
    module.set_status(border.to_python(kind), border.to_python(text) or "", override)


def default_permission(border, module, role: bytes, action: bytes) -> None:
    permissions.default_permission(module, border.to_python(role), border.to_python(action))


def default_permissions(border, module, role: bytes, actions: Any) -> None:
    for action in border.copy_to_python(actions):
        permissions.default_permission(module, border.to_python(role), action)


def may(border, module, action: bytes, context: Any, peek: Any = None) -> bool:
    return permissions.may(module, border.to_python(action), border.to_python(context),
                           bool(peek))


def may_now(border, module, action: bytes, context: Any, peek: Any = None) -> bool | None:
    """As `may`; None when that would have to wait for a store."""
    if permissions.waits(module, border.to_python(context)):
        return None
    return may(border, module, action, context, peek)


def _names(border, modules: Any) -> Any:
    """Return {name: true}, nothing when there are none."""
    return border.copy_to_lua(dict.fromkeys(modules, True)) if modules else None


def dependencies(border, module) -> Any:
    return _names(border, module.owner.dependencies)


def reverse_dependencies(border, module) -> Any:
    return _names(border, module.owner.reverse_dependencies)


# -- metrics -------------------------------------------------------------------------------


def make_metric(border, module, kind: bytes, name: bytes, unit: Any = None,
                description: Any = None, label_keys: Any = None, _conf: Any = None) -> Any:
    keys = border.copy_to_python(label_keys) or ()
    metric = measures.measures(module.server).metric(
        border.to_python(kind), f"prosody_mod_{module.name}/{border.to_python(name)}",
        border.to_python(unit), border.to_python(description), tuple(keys))
    return border.to_lua(metric)


def labelled(border, metric, *values: Any) -> Any:
    return border.to_lua(border.to_python(metric).labelled(*map(border.to_python, values)))


def _series(metric: Any) -> Any:
    return metric.labelled() if isinstance(metric, measures.Metric) else metric


def record(border, metric, value: Any) -> None:
    _series(border.to_python(metric)).record(value)


def set_metric(border, metric, value: Any) -> None:
    _series(border.to_python(metric)).value = value


def add_to_metric(border, metric, value: Any) -> None:
    _series(border.to_python(metric)).add(value)


def clear_metric(border, metric) -> None:
    border.to_python(metric).clear()


# -- requests ------------------------------------------------------------------------------


def fire_event(border, module, name: bytes, data: Any = None) -> Any:
    return border.to_lua(module.fire_event(border.to_python(name), border.to_python(data)))


_PROVIDERS: dict[str, Any] = {"auth-provider": LuaAuthProvider,
                              "storage-provider": LuaStorageProvider}


def _item(border, module, key: str, raw: Any) -> Any:
    """Return an item as those who use it want to have it."""
    value = border.to_python(raw)
    provider = _PROVIDERS.get(key)
    if provider is not None and isinstance(value, LuaData):
        for known in module.items.get(key, ()):
            if isinstance(known, provider) and known.item is value:
                return known
        return provider(value, module.name, module.host)
    if key == "net-provider" and isinstance(value, LuaData):
        for known in module.items.get(key, ()):
            if isinstance(known, LuaService) and known.item is value:
                return known
        return LuaService(value)
    return value


def add_item(border, module, raw_key: bytes, value: Any) -> None:
    key = border.to_python(raw_key)
    module.add_item(key, _item(border, module, key, value))


def remove_item(border, module, raw_key: bytes, value: Any) -> Any:
    key = border.to_python(raw_key)
    return border.to_lua(module.remove_item(key, _item(border, module, key, value)))


def handle_items(border, module, key: bytes, added: Any, removed: Any,
                 existing: Any = True) -> None:
    module.handle_items(border.to_python(key), _handler(border, module, added),
                        _handler(border, module, removed), existing is not False)


def host_items(border, module, key: bytes) -> Any:
    return border.copy_to_lua(module.get_host_items(border.to_python(key)))


def depends(border, module, name: bytes, soft: Any = False) -> Any:
    try:
        exports = module.depends(border.to_python(name), bool(soft))
    except LoadError as error:
        raise LoadError(f"Unable to load required module, {error}", error.code) from error
    return (None, b"disabled") if exports is None else border.to_lua(exports)


def send(border, module, stanza: Any, origin: Any = None) -> bool:
    module.send(border.to_python(stanza), border.to_python(origin))
    return True


def ask_iq(border, module, stanza: Any, origin: Any = None, timeout: Any = None) -> tuple:
    event = module.send_iq(border.to_python(stanza), border.to_python(origin), timeout)
    return border.to_lua(event.stanza), border.to_lua(event.origin)


def answer_iq(border, module, answer: Any) -> None:
    """Take an answer that a handler has given to the origin of a `send_iq`."""
    module.answer_iq(border.to_python(answer))


def open_store(border, module, name: Any = None, kind: Any = None) -> Any:
    if module.host == "*":
        return None, b"global-storage-not-supported"
    kind = border.to_python(kind) or "keyval"
    if kind not in KINDS:
        module.log("error", "open_store: there is no kind of store %r; there are %s", kind,
                   ", ".join(KINDS))
        return None, b"unsupported-store"
    try:
        store = module.open_store(border.to_python(name), kind)
    except UnsupportedStore as error:
        module.log("error", "Nothing of this store will be kept: %s", error)
        store = NoStore()
    except StorageError as error:
        module.log("error", "Cannot open the store %s: %s",
                   border.to_python(name) or module.name, error)
        return None, border.to_lua(error.condition)
    return border.store_to_lua(LuaStore(border, store, kind))


PLAIN: dict[str, Callable[..., Any]] = {
    "hook": hook, "hook_global": hook_global, "hook_object_event": hook_object_event,
    "unhook": unhook, "unhook_object_event": unhook_object_event, "wrap_event": wrap_event,
    "wrap_global": wrap_global, "wrap_object_event": wrap_object_event, "option": option,
    "call_when_ready": call_when_ready, "add_timer": add_timer, "shared": shared,
    "find_library": find_library, "resource_path": resource_path, "make_global": make_global,
    "make_context": make_context, "may_now": may_now, "dependencies": dependencies,
    "reverse_dependencies": reverse_dependencies,
    "default_permission": default_permission, "default_permissions": default_permissions,
    "make_metric": make_metric, "labelled": labelled, "record": record,
    "set_metric": set_metric, "add_to_metric": add_to_metric, "clear_metric": clear_metric,
    "answer_iq": answer_iq,
    "http_url": lambda border, module, *raw: border.to_lua(
        module.http_url(*map(border.to_python, raw))),
    "get_name": lambda border, module: border.to_lua(module.get_name()),
    "get_host": lambda border, module: border.to_lua(module.get_host()),
    "get_host_type": lambda border, module: border.to_lua(module.get_host_type()),
    "get_directory": lambda border, module: border.to_lua(module.get_directory()),
    "get_status": lambda border, module: (*map(border.to_lua, module.get_status()),
                                          module.owner.status_time),
}
ASKING: dict[str, Callable[..., Any]] = {
    "fire_event": fire_event, "add_item": add_item, "remove_item": remove_item,
    "handle_items": handle_items, "host_items": host_items, "depends": depends, "send": send,
    "ask_iq": ask_iq, "open_store": open_store, "set_status": set_status, "may": may,
}
