"""What the system knows of names: /etc/resolv.conf and /etc/hosts, read again when they change."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from prosody_py.net.tls.identity import is_ip_address

_LOOK_EVERY = 5.0  # seconds between two looks at a file's date
_MAX_FILE = 16 * 1024 * 1024


@dataclass(frozen=True)
class ResolvConf:
    """The parts of resolv.conf(5) that matter here."""

    servers: tuple[str, ...] = ("127.0.0.1",)
    search: tuple[str, ...] = ()
    ndots: int = 1
    trust_ad: bool = False


@dataclass(frozen=True)
class Hosts:
    """The addresses by name and names by address of hosts(5)."""

    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


def parse_resolv_conf(text: str) -> ResolvConf:
    """Return what a resolv.conf says; lines that are not understood are passed over."""
    servers: list[str] = []
    search: tuple[str, ...] = ()
    ndots, trust_ad = 1, False
    for line in text.splitlines():
        words = line.split("#")[0].split(";")[0].split()
        if len(words) < 2:
            continue
        if words[0] == "nameserver" and is_ip_address(words[1].partition("%")[0]):
            servers.append(words[1])
        elif words[0] in ("search", "domain"):
            search = tuple(word.strip(".") for word in words[1:] if word.strip("."))
        elif words[0] == "options":
            for word in words[1:]:
                if word == "trust-ad":
                    trust_ad = True
                elif word.startswith("ndots:") and word[6:].isdecimal():
                    ndots = min(15, int(word[6:]))
    return ResolvConf(tuple(servers) or ResolvConf.servers, search, ndots, trust_ad)


def parse_hosts(text: str) -> Hosts:
    """Return what a hosts file says; lines that are not understood are passed over."""
    addresses: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) < 2 or not is_ip_address(words[0]):
            continue
        for word in words[1:]:
            name = word.lower().removesuffix(".")
            addresses[name] = (*addresses.get(name, ()), words[0])
        names.setdefault(words[0], words[1])
    return Hosts(addresses, names)


class WatchedFile:
    """A small file that is parsed again when it has changed; missing, it is as if empty."""

    def __init__(self, path: str, parse: Callable[[str], Any],
                 clock: Callable[[], float] = time.monotonic):
        self._path, self._parse, self._clock = path, parse, clock
        self._looked = float("-inf")
        self._mark: tuple[int, ...] | None = ()
        self._content: Any = None

    def content(self) -> Any:
        """Return what the file says."""
        now = self._clock()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            mark = self._mark_now()
            if mark != self._mark:
                self._mark = mark
                self._content = self._parse(self._read() if mark else "")
        return self._content

    def _mark_now(self) -> tuple[int, ...] | None:
        try:
            status = os.stat(self._path)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> str:
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                return file.read(_MAX_FILE)
        except OSError:
            return ""
