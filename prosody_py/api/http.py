"""The part of the module API about HTTP: where a module is reached, and answers that are errors."""

from __future__ import annotations

import re
from typing import Any

_DEFAULT_PORTS = {"http": 80, "https": 443}
_VARIABLE = re.compile(r"\$(\w+)")
DISABLED = "http://disabled.invalid/"


class StatusError(Exception):
    """What a handler raises or returns to answer with an error.

    `code` is the status; `text` is shown to the peer; `private` goes to the log and, where the
    operator wants that, to the page. `cause` is an error object of Lua's util.error.
    """

    def __init__(self, code: int, text: str | None = None, *, private: str | None = None,
                 cause: Any = None):
        super().__init__(text or str(code))
        self.code, self.text, self.private, self.cause = code, text, private, cause


def normalize_path(path: str) -> str:
    """Return a path with one slash in front and none at its end; "/" stays as it is."""
    return "/" + path.strip("/")


def http_host(module) -> str:
    """Return the name under which a module's host is served by HTTP."""
    config = module.server.config
    own = config.get(module.host, "http_host")
    if own or module.host != "*":
        return str(own or module.host).lower()
    default = config.get("*", "http_default_host")
    return str(default or next(iter(module.server.hosts), "localhost")).lower()


def http_path(module, app_name: str, default_path: str | None = None) -> str:
    """Return the path at which an app of a module's host is served (`http_paths`)."""
    paths = module.server.config.get(module.host, "http_paths")
    chosen = paths.get(app_name) if isinstance(paths, dict) else None
    chosen = chosen or default_path or "/" + app_name
    known = {"host": "" if module.host == "*" else module.host}
    return normalize_path(_VARIABLE.sub(lambda found: known.get(found[1], found[0]), chosen))


class HttpUrls:
    """`module.http_url`; mixed into Module."""

    def http_url(self, app_name: str | None = None, default_path: str | None = None,
                 mode: str | None = None) -> str:
        """Return the URL of an app of this host, by default of this module's.

        `http_external_url` stands above the server's own ports, unless `mode` is "internal".
        Where HTTP is off, the URL is one that leads nowhere.
        """
        name = app_name or self.name.removeprefix("http_")
        path = http_path(self, name, default_path)
        external = self.server.config.get(self.host, "http_external_url")
        if external and mode != "internal":
            return external.rstrip("/") + path
        for scheme in ("https", "http"):
            for port in _numbers(self.server, scheme):
                number = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
                return f"{scheme}://{http_host(self)}{number}{path}"
        self.log("warn", "There is no URL for %s: no HTTP port is open", name)
        return DISABLED


def _numbers(server, service: str) -> list[int]:
    """Return the ports on which a service is reached, or will be when the server has started."""
    ports = getattr(server, "ports", None)
    if ports is None:
        return []
    opened = [port.port for port in ports.open.values() if port.service == service]
    return opened or [number for (_interface, number), name in ports.wanted().items()
                      if name == service]
