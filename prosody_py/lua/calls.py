"""Calls from Lua to the functions of Python objects: requests, plain calls, sending, logging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.lua.references import Handle
from prosody_py.xmpp.writer import replace_illegal


def _as_xml(text: bytes) -> bytes:
    """Return text of Lua's with U+FFFD for what is no UTF-8, and no character of XML."""
    try:
        text.decode()
    except UnicodeDecodeError:
        pass
    else:
        if b"\xef\xbf" not in text:  # U+FFFE and U+FFFF begin so
            return text
    return replace_illegal(text.decode("utf-8", "replace")).encode()


class Calls:
    """The functions behind border/proxy.lua that call something; mixed into Proxies."""

    def _results(self, value: Any) -> Any:
        if type(value) is tuple:
            return tuple(map(self.border.to_lua, value))
        return self.border.to_lua(value)

    def _function(self, obj: Any, name: str) -> Callable[..., Any]:
        # That of the class: a module that replaces session.send keeps the one it has read.
        return getattr(type(obj), name).__get__(obj)

    def call_method(self, obj: Any, raw_name: bytes, *raw: Any) -> Any:
        """Serve a request: call a function of an object."""
        name = raw_name.decode()
        function = self.face(type(obj)).functions.get(name)
        if function is not None:
            return self._results(function(self.border, obj, *raw))
        return self._results(self._function(obj, name)(*map(self.border.to_python, raw)))

    def call_plain(self, obj: Any, raw_name: bytes, *raw: Any) -> Any:
        """Call a function that never blocks; gives (True, results ...) or (False, error)."""
        self.border.epoch += 1
        try:
            result = self.call_method(obj, raw_name, *raw)
        except Exception as error:
            return False, self.border.error_to_lua(error)
        return (True, *result) if type(result) is tuple else (True, result)

    def call_function(self, function: Callable[..., Any], *raw: Any) -> Any:
        """Serve a request: call a Python function."""
        return self._results(function(*map(self.border.to_python, raw)))

    def call_function_plain(self, function: Callable[..., Any], *raw: Any) -> Any:
        """Call a Python function that never blocks, see `call_plain`."""
        self.border.epoch += 1
        try:
            result = self.call_function(function, *raw)
        except Exception as error:
            return False, self.border.error_to_lua(error)
        return (True, *result) if type(result) is tuple else (True, result)

    def _sending(self, session: Any, raw_name: bytes, replaced: Any) -> Callable[..., Any]:
        """Return the function that sends: that of the class, or what Python has put in its place.

        `replaced` says that Lua has put a function there, which calls the one of the class.
        """
        if not replaced:
            own = session.__dict__.get(raw_name.decode()) if hasattr(session, "__dict__") else None
            if own is not None:
                return own
        return self._function(session, raw_name.decode())

    def send_now(self, session: Any, raw_name: bytes, raw: Any, replaced: Any = None) -> Any:
        """Send if that only queues; None says that it has to be a request."""
        self.border.epoch += 1
        if getattr(session, "filters", None) is not None:
            return None
        function = self._sending(session, raw_name, replaced)
        if not getattr(function, "never_blocks", False):
            return None
        try:
            if type(raw) is self.border.table_type and hasattr(session, "ns"):
                raw = self.border.stanzas.text(raw, session.ns)  # no need for an object
            return bool(function(raw if type(raw) in (bytes, str) else self.border.to_python(raw)))
        except Exception as error:
            self.border.log.error("Could not send to %r: %s", session, error, exc_info=error)
            return False

    def send_text(self, handle: Handle, text: bytes) -> Any:
        """Send a stanza whose text Lua has made; None says that it has to be a request.

        Each argument of a function that Lua calls costs as much as ten lines in it.
        """
        border, session = self.border, handle.object
        border.epoch += 1
        if "send" in session.__dict__:  # Python has put a function there
            return self.send_now(session, b"send", text)
        function = type(session).send
        if session.filters is not None or not getattr(function, "never_blocks", False):
            return None
        try:
            return bool(function(session, text if text.isascii() else _as_xml(text)))
        except Exception as error:
            border.log.error("Could not send to %r: %s", session, error, exc_info=error)
            return False

    def send_later(self, session: Any, raw_name: bytes, raw: Any, replaced: Any = None) -> Any:
        """Serve a request: send through filters."""
        self.border.epoch += 1
        function = self._sending(session, raw_name, replaced)
        return function(raw if type(raw) is bytes else self.border.to_python(raw))

    def log_enabled(self, obj: Any, raw_level: Any) -> bool:
        """Whether a line of this level would be written."""
        return self.border.logger_of(obj).isEnabledFor(self.border.log_level(raw_level))

    def log(self, obj: Any, raw_level: Any, text: Any) -> None:
        """Write a line to the object's log."""
        self.border.logger_of(obj).log(self.border.log_level(raw_level), "%s",
                                       self.border.to_python(text))
