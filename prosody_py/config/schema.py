"""All option names that are known: the core's, declared here, and those that modules add."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prosody_py.config import values
from prosody_py.config.nearest import nearest
from prosody_py.config.options import (
    Option,
    Options,
    array,
    boolean,
    enum,
    frequency,
    integer,
    mapping,
    path,
    period,
    set_,
    size,
    string,
)

__all__ = ["GlobalOptions", "HostOptions", "Schema", "nearest"]

_PORTS = {"of": integer(min=0, max=65535), "where": "global"}
_LEVELS = ("info", "debug", "warn", "error")
_ADDRESSES = {"of": Option("address", 'an address such as "192.0.2.1", "*" or "::"',
                           values.interface), "where": "global"}


def _driver_or_drivers(value: Any) -> str | dict[str, str]:
    if isinstance(value, dict):
        return {store: values.string(driver) for store, driver in value.items()}
    return values.string(value)


def _service_options(service: str) -> tuple[Option, ...]:
    return (array(None, name=f"{service}_ports", **_PORTS, doc=f"Ports of {service}."),
            set_(None, name=f"{service}_interfaces", **_ADDRESSES,
                 doc=f"Addresses on which {service} listens, in place of interfaces."))


class GlobalOptions(Options):
    """What the server reads once, from the global section."""

    plugin_paths = array(
        (), of=path(), where="global",
        doc="Folders with further modules, in Python or Lua; searched before the bundled ones.")
    data_path = path("data", where="global", doc="Folder of everything that is stored.")
    pidfile = path(None, where="global", doc="File that gets the process id; none without it.")
    umask = string("027", where="global", doc="Permissions that new files do not get, in octal.")
    admin_socket = path(None, where="global", doc="Socket of the administration shell; by default "
                                                  "prosody-py.sock in data_path.")
    log = mapping(
        None, where="global", doc="What is logged, and how, such as {level: info, to: console}.",
        fields={
            "level": enum("info", "debug", "warn", "error", doc="Least level that is logged."),
            "format": enum("text", "json", doc="Form of a line."),
            "to": string("console", doc="console, stdout, syslog, or the path of a file."),
            "modules": mapping(None, enum(None, *_LEVELS), doc="Levels of single modules, such as "
                                                               "{mod_c2s: debug}."),
            "sinks": array((), of=mapping(), doc="Further places, which Lua modules provide: "
                           "each {to: NAME, level: info} with what else the module reads."),
        },
    )
    certificates = path(None, where="global", doc="Folder searched for certificates; by default "
                                                  "certs in data_path.")
    interfaces = set_(("*", "::"), **_ADDRESSES,
                      doc="Addresses on which services for everybody listen.")
    local_interfaces = set_(("127.0.0.1", "::1"), **_ADDRESSES,
                            doc="Addresses on which services for this machine listen.")
    use_ipv6 = boolean(True, where="global", doc="Whether services listen on IPv6 addresses.")
    c2s_client_certificates = boolean(
        False, where="global", doc="Ask clients for a certificate, to log in with (EXTERNAL).")
    lua_runtime = enum("lua54", "luajit21", where="global", doc="Which Lua runs Lua modules.")
    lua_time_limit = period("5 seconds", min="0.01 seconds", where="global",
                            doc="CPU time that one call into Lua may take without a pause.")
    lua_memory_limit = size(None, min="1 MB", where="global",
                            doc="Memory that all Lua modules may have together.")


ACCOUNT_LIMIT = size("100 MB", min="10 KB", name="storage_account_limit", doc=(
    "Bytes that one account may store as it likes: in personal eventing, with avatars, bookmarks "
    "and keys, in private XML and as a vCard."))


class HostOptions(Options):
    """What the core reads for a host or component; the global section gives the defaults."""

    enabled = boolean(True, where="host", doc="Whether the host is served.")
    modules_enabled = array(
        (), of=string(), doc="Modules to load, without mod_, beside those that are always loaded. "
                             "A host gets its own and those of the top level.")
    modules_disabled = array(
        (), of=string(), doc="Modules not to load, also of those that are always loaded.")
    admins = set_((), of=string(), doc="Addresses of the administrators.")
    authentication = string("internal_hashed", doc="Where accounts come from: the module "
                                                   "auth_NAME.")
    default_iteration_count = integer(
        10000, min=4096, doc="Rounds of the hash (SCRAM) of passwords that are set from now on.")
    storage = Option(
        "storage", "the name of a driver, or a mapping from stores to drivers", _driver_or_drivers,
        doc="Driver of all stores: the module storage_NAME; or one for each store.",
    )
    default_storage = string("sqlite", doc="Driver of stores for which storage names none.")
    storage_account_limit = ACCOUNT_LIMIT
    certificate = path(None, doc="Certificate of the host, with its key beside it; without this "
                                 "option the folder certificates is searched for one.")
    ssl = mapping(None, doc="TLS settings that differ from tls_profile, with Prosody's names.")
    tls_profile = enum("intermediate", "modern", "old", "legacy",
                       doc="How strict TLS is, by Mozilla's profiles.")
    c2s_require_encryption = boolean(True, doc="Whether clients must use TLS to log in.")
    conflict_resolve = enum("kick_old", "kick_new", "random",
                            doc="What happens when a client wants a resource that another has.")
    force_module_reload = boolean(
        False, doc="Reload a module also when it cannot save its state, which is then lost.")
    module_error_limit = frequency(
        None, doc="A module with more errors than this is switched off until it is loaded again "
                  "or the configuration is reloaded; without the option none is.")


class Schema:
    """The known options, by name. A new one knows those of the core."""

    def __init__(self) -> None:
        self._options: dict[str, list[Option]] = {}
        self._names: set[str] = set()
        self._read: dict[str, list[Option]] = {}
        self._services: dict[str, None] = {}
        self.register(GlobalOptions)
        self.register(HostOptions)
        for service in ("c2s", "c2s_direct_tls"):
            self.register_service(service)

    def register(
        self, options: type[Options] | Iterable[Option], prefix: str | None = None
    ) -> None:
        """Add options that a module declares; the same name may come from several modules."""
        declared = options.declared(prefix) if isinstance(options, type) else options
        for option in declared:
            known = self._options.setdefault(option.name, [])
            if option not in known:
                known.append(option)

    def register_names(self, names: Iterable[str]) -> None:
        """Add names of which no more is known."""
        self._names.update(names)

    def register_read(self, options: Iterable[Option]) -> None:
        """Add what Lua modules read (see `harvest`); a declaration of the same name goes first."""
        for option in options:
            self._read.setdefault(option.name, []).append(option)

    def register_service(self, service: str) -> None:
        """Add the options of a network service: its ports and interfaces."""
        self._services[service] = None
        self.register(_service_options(service))

    def of_services(self) -> list[Option]:
        """Return the options of all network services that are known."""
        return [option for service in self._services for option in _service_options(service)]

    def get(self, name: str) -> list[Option]:
        """Return the declarations of an option; none when only its name is known, or not even."""
        read = self._read.get(name, [])
        # Modules that read one option as different kinds each take what they can use.
        fitting = read if len({option.kind for option in read}) == 1 else []
        return self._options.get(name) or fitting[:1]

    def names(self) -> set[str]:
        """Return all known names."""
        return self._names | self._options.keys() | self._read.keys()

    def __contains__(self, name: str) -> bool:
        return name in self._names or name in self._options or name in self._read
