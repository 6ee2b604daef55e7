"""HTTP for modules: ports, the routes of `provides("http", ...)`, CORS, proxies in front.

An app is an item "http-provider": `name`, `default_path` (otherwise /name), and `route`, which
maps "GET /path", "GET /path/*" or "GET" alone (the app's own path) to a handler `(event)`; with
`/*` it is `(event, rest)`. In place of a handler there may be what a handler returns, see
prosody_py.net.http.dispatch. `streaming_uploads` says that handlers can take bodies which are not
in memory, `cors` how pages of other origins may use the app.
"""

from __future__ import annotations

import ipaddress

from prosody_py.api import (
    Options,
    boolean,
    integer,
    mapping,
    period,
    set_,
    size,
    string,
)
from prosody_py.api.http import http_host, http_path
from prosody_py.api.registrations import Undo
from prosody_py.config.options import Option
from prosody_py.config.values import Wrong

GLOBAL = True
_CORS = {"enabled": boolean(None), "credentials": boolean(None), "origins": set_(None),
         "methods": set_(None), "headers": set_(None), "max_age": period(None)}


def network(value) -> str:
    """Return an address or network as it is written; raises Wrong."""
    try:
        ipaddress.ip_network(value, strict=False)
    except (ValueError, TypeError):
        raise Wrong from None
    return value


_NETWORK = Option("network", 'an address or a network such as "10.0.0.0/8"', network)


class Config(Options):
    """Options of HTTP; the ports are `http_ports` (5280) and `https_ports` (5281)."""

    http_host = string(None, doc="Name under which a host is served; by default its own.")
    http_default_host = string(None, where="global",
                               doc="Host that requests for unknown names go to.")
    http_paths = mapping(None, values_=string(), doc="Paths of apps by their names; $host stands "
                                                     "for the host.")
    http_external_url = string(None, doc="URL under which a proxy in front makes this reachable.")
    http_max_content_size = size("10 MB", min="1 KB", where="global",
                                 doc="Largest body that is kept in memory.")
    http_idle_timeout = period("60 seconds", min="1 second", where="global",
                               doc="Time between two requests of a connection.")
    http_head_timeout = period("20 seconds", min="1 second", where="global",
                               doc="Time that a client may take to send a request without its "
                                   "body.")
    http_connections_per_address = integer(
        200, min=1, where="global",
        doc="Connections that one address (IPv6: one /64) may have at a time; trusted "
            "proxies may have more.")
    trusted_proxies = set_(("127.0.0.1", "::1"), of=_NETWORK, where="global",
                           doc="Addresses and networks whose X-Forwarded-For is believed.")
    http_legacy_x_forwarded = boolean(True, where="global",
                                      doc="Whether X-Forwarded-For counts besides Forwarded.")
    http_default_cors_enabled = boolean(True, doc="Let pages of other origins use all apps that "
                                                  "do not say otherwise.")
    http_cors_override = mapping(None, values_=mapping(None, fields=_CORS),
                                 doc="For apps by their names, in place of what they say: "
                                     "enabled, credentials, origins, methods, headers, max_age.")
    access_control_allow_origins = set_(("*",), of=string(),
                                        doc="Origins whose pages may use apps.")
    access_control_allow_methods = set_(None, of=string(),
                                        doc="Methods that pages may use, besides those that an "
                                            "app has.")
    access_control_allow_headers = set_(("Content-Type",), of=string(),
                                        doc="Headers that pages may send.")
    access_control_allow_credentials = boolean(False, doc="Whether pages may send cookies.")
    access_control_max_age = period("2 hours", doc="How long browsers remember these answers.")
    https_ssl = mapping(None, where="global", doc="TLS settings of the https ports.")
    https_certificate = string(None, where="global",
                               doc="Certificate of the https ports, with its key beside it.")


class Route:
    """The handler of one entry of a route.

    `start` is where the rest of the path begins that a handler of `/*` gets as well.
    """

    def __init__(self, app, value, start: int | None = None):
        self.module, self.value, self.start = app.source, value, start
        self.streaming = app.streaming

    def __call__(self, event):
        if event.request.body is False and not self.streaming:
            return None  # the body is too large to be in memory
        if not callable(self.value):
            return self.value
        if self.start is None:
            return self.value(event)
        return self.value(event, event.request.path[self.start:])


class App:
    """An app that is served: its handlers on the events of requests."""

    def __init__(self, module, options, source, item):
        self.module, self.source, self.item = module, source, item
        self.name = item.get("name")
        self.events = module.server.http.events
        self.handlers: list[tuple[str, object]] = []
        self.streaming = bool(item.get("streaming_uploads"))
        path = http_path(module, self.name, item.get("default_path"))
        self.base = "" if path == "/" else path
        self.root = path
        self.host = "" if module.host == "*" else http_host(module)
        route = item.get("route") or {}
        self.methods = {str(key).partition(" ")[0] for key, _value in route.items()}
        self.cors = Cors.of(options, self)
        for key, value in route.items():
            self.add(str(key), value)

    def add(self, key: str, value) -> None:
        """Serve one entry of the route."""
        method, space, path = key.partition(" ")
        if space and not path.startswith("/"):
            path = "/" + path
        where = f"{self.host}{self.base + path if space else self.root}"
        event = f"{method} {where}"
        if path.endswith("/*"):
            self.hook(event, Route(self, value, len(self.base + path) - 1))
            self.hook(event[:-2], redirect, -1)
        else:
            self.hook(event, Route(self, value))
            if path.endswith("/"):
                self.hook(event[:-1], redirect, -1)
        if self.cors is not None:
            self.hook(event, self.cors.add_headers, 10)
            if method != "OPTIONS":
                self.hook("OPTIONS " + where, self.cors.add_headers, 10)
                self.hook("OPTIONS " + where, no_content, -1)

    def hook(self, event: str, handler, priority: float = 0) -> None:
        """Hook one event, once for each handler."""
        if (event, handler) not in self.handlers:
            self.handlers.append((event, handler))
            self.module.hook_object_event(self.events, event, handler, priority)

    def close(self) -> None:
        """Serve it no more."""
        for event, handler in self.handlers:
            self.module.unhook_object_event(self.events, event, handler)


class Cors:
    """What pages of other origins may do with an app (the CORS protocol of the Fetch standard)."""

    def __init__(self, options, own: dict, methods: set[str]):
        self.origins = frozenset(own.get("origins") or options.access_control_allow_origins)
        self.credentials = _first(own.get("credentials"), options.access_control_allow_credentials)
        more = own.get("methods") or options.access_control_allow_methods or ()
        self.methods = ", ".join(sorted({*methods, "OPTIONS", *_names(more)}))
        self.headers = ", ".join(sorted(_names(own.get("headers") or ())
                                        | set(options.access_control_allow_headers)))
        self.max_age = str(int(_first(own.get("max_age"), options.access_control_max_age)))

    @classmethod
    def of(cls, options, app: App):
        """Return the rules for an app, None when it has none."""
        own = options.http_cors_override.get(app.name)
        if own is None:
            own = app.item.get("cors") or {}
            own = own.copy() if hasattr(own, "copy") else own
        own = own if isinstance(own, dict) else {}
        if not _first(own.get("enabled"), options.http_default_cors_enabled):
            return None
        return cls(options, own, app.methods)

    def add_headers(self, event) -> None:
        """Say in the headers of an answer what is allowed."""
        headers = event.response.headers
        origin = event.request.headers.get("origin")
        if "*" in self.origins:
            headers["access_control_allow_origin"] = origin or "*"
        elif origin in self.origins:
            headers["access_control_allow_origin"] = origin
        else:
            return
        if origin:
            headers["vary"] = "Origin"
        headers["access_control_allow_methods"] = self.methods
        headers["access_control_allow_headers"] = self.headers
        headers["access_control_max_age"] = self.max_age
        if self.credentials:
            headers["access_control_allow_credentials"] = "true"


def _first(*values):
    return next((value for value in values if value is not None), None)


def _names(value) -> set[str]:
    """Return names that are given as a list or as the keys of a mapping."""
    if isinstance(value, dict):
        return {str(name) for name, chosen in value.items() if chosen}
    return {str(name) for name in value}


def redirect(event) -> int:
    """Lead to the same path with a slash at its end."""
    url = event.request.url
    event.response.headers["location"] = url.path + "/" + (f"?{url.query}" if url.query else "")
    return 301


def no_content(_event) -> bytes:
    """Answer with nothing but headers."""
    return b""


def serve_apps(module, options) -> None:
    """Serve the apps of the modules of one host, or of the server."""
    apps: dict[int, App] = {}

    def added(event) -> None:
        item = event.item
        if item.get("route") is None:
            module.log("debug", "mod_%s offers an app without routes", event.source.name)
            return
        apps[id(item)] = app = App(module, options, event.source, item)
        module.log("info", "Serving %r at %s", app.name,
                   module.http_url(app.name, item.get("default_path")))

    def removed(event) -> None:
        app = apps.pop(id(event.item), None)
        if app is not None:
            app.close()

    module.handle_items("http-provider", added, removed)


def apply(module) -> None:
    """Let the HTTP server keep to the options."""
    server, options = module.server.http, module.options
    default = options.http_default_host
    server.configure(
        content=options.http_max_content_size, idle_time=options.http_idle_timeout,
        head_time=options.http_head_timeout, trusted_proxies=options.trusted_proxies,
        legacy=options.http_legacy_x_forwarded,
        default_host=default and (module.server.config.get(default, "http_host") or default),
        connections_per_address=options.http_connections_per_address)


def load(module):
    """Open the ports, and serve the apps of global modules."""
    server, options = module.server.http, module.options
    module.depends("http_errors")
    module.registrations.add(Undo(lambda: apply(module), lambda: None))
    common = {"listener": server, "admit": server.admit, "read_timeout": 0}
    module.provides("net", {"name": "http", "default_port": 5280, "private": True, **common})
    ssl = dict(options.https_ssl or {})
    if options.https_certificate:
        ssl["certificate"] = options.https_certificate
    module.provides("net", {"name": "https", "default_port": 5281, "encryption": "ssl",
                            "alpn": ["http/1.1", "http/1.0"], "ssl_options": ssl, **common})
    serve_apps(module, options)


def add_host(module):
    """Answer to a host's name, and serve the apps of its modules."""
    server, name = module.server.http, http_host(module)
    module.depends("http_errors")
    module.registrations.add(Undo(lambda: server.add_host(name),
                                  lambda: server.remove_host(name)))
    serve_apps(module, Config.read(module.server.config, module.host))
