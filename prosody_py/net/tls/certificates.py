"""The certificates in a directory, and which of them is for a host.

Prosody's rules decide what is looked at: three levels of directories without those that begin
with a dot; ``*.crt`` with ``*.key``, ``*fullchain*`` with ``*privkey*``, and ``*.pem`` with the
key inside or in ``*.key``. Links are followed. Unlike there, the best of several is chosen: the
one that stays valid longest, and a self-signed one only if there is no other.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from prosody_py.net.tls import identity
from prosody_py.net.tls.certificate import Certificate, key_beside, load, utc_now

DEPTH = 3


class Problem(NamedTuple):
    """Something the operator should look at; ``refused`` if the certificate is not used for it."""

    path: Path
    text: str
    refused: bool

    def __str__(self) -> str:
        named = self.text.startswith(str(self.path))
        return self.text if named else f"{self.path}: {self.text}"


# Size, time and inode of the certificate and of its key: equal means not changed.
_State = tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]


@dataclass
class _Entry:
    """One file as it was found: what it held, or why it cannot be used."""

    state: _State
    certificate: Certificate | None
    error: str | None


class CertificateIndex:
    """The usable certificates below a directory, by the names in them.

    ``now`` gives the time that validity is judged by. A directory that does not exist or cannot
    be read is a problem in the list of ``reload``, not an exception.
    """

    def __init__(self, directory: str | os.PathLike, now: Callable[[], datetime] = utc_now):
        self.directory = Path(directory)
        self._now = now
        self._entries: dict[Path, _Entry] = {}
        self._by_name: dict[str, list[Certificate]] = {}
        self._by_file: dict[str, list[Certificate]] = {}
        self.problems: list[Problem] = []
        """What the last ``reload`` returned."""
        self.reload()

    def __len__(self) -> int:
        return sum(entry.certificate is not None for entry in self._entries.values())

    def reload(self) -> list[Problem]:
        """Look at the directory again and return what is wrong with it.

        Only files whose size, time or inode changed are read. A file that was good and is broken
        now, perhaps half-written, keeps its earlier certificate in use until it is good again.
        """
        problems: list[Problem] = []
        found: dict[Path, _Entry] = {}
        for path, key_path in self._candidates(self.directory, DEPTH, problems):
            state = (_stat(path), _stat(key_path))
            entry = self._entries.get(path)
            if entry is None or entry.state != state:
                entry = _read(path, key_path, state, entry)
            found[path] = entry
            problems += self._judge(path, entry)
        self._entries = found
        self._sort()
        self.problems = problems
        return problems

    def find(self, host: str) -> Certificate | None:
        """Return the certificate to show for a host, or None.

        In this order: named in the certificate, exactly or by a wildcard for one label; a file
        called after the host; the same for the parent domain. Of several the one that is valid
        longest, self-signed ones last. ``host`` is Unicode or A-labels; the name of a service,
        such as ``https``, finds a file called after it.
        """
        name = identity.ascii_host(host)
        while name:
            for candidates in (self._naming(name), self._by_file.get(name, ())):
                usable = [one for one in candidates if one.refusal(self._now()) is None]
                if usable:
                    return max(usable, key=_preference(name))
            name = _parent(name)
        return None

    def by_name(self) -> dict[str, list[Certificate]]:
        """Return the certificates by the names in them, ``*.`` ones included."""
        return {name: list(found) for name, found in self._by_name.items()}

    def explain(self, host: str) -> list[str]:
        """Return lines that say which certificate is chosen for a host and why no other one."""
        name = identity.ascii_host(host)
        if name is None:
            return [f"{host!r} is not a host name"]
        chosen = self.find(name)
        lines = []
        while name:
            named = self._naming(name)
            by_file = [one for one in self._by_file.get(name, ()) if one not in named]
            for one in sorted(named, key=_preference(name), reverse=True):
                lines.append(f"{one.path}: {self._verdict(one, chosen)}; it names {name}")
            for one in sorted(by_file, key=_preference(name), reverse=True):
                lines.append(f"{one.path}: {self._verdict(one, chosen)}; it is called after {name} "
                             f"but names {', '.join(one.names) or 'nothing'}")
            if not named and not by_file:
                lines.append(f"no certificate for {name} among {len(self)} in {self.directory}")
            name = None if chosen in named or chosen in by_file else _parent(name)
        lines += [f"{one.path}: not usable: {one.text}" for one in self.problems if one.refused]
        return lines

    def _verdict(self, certificate: Certificate, chosen: Certificate | None) -> str:
        now = self._now()
        refusal = certificate.refusal(now)
        if refusal is not None:
            return f"refused: {refusal}"
        until = f"valid until {certificate.not_after:%Y-%m-%d}"
        if certificate is chosen:
            return f"chosen: {until} ({(certificate.not_after - now).days} days)"
        if certificate.self_signed and not chosen.self_signed:
            return f"not chosen: self-signed, {until}"
        if certificate.not_after < chosen.not_after:
            return f"not chosen: another is valid longer, {until}"
        return f"not chosen: another names the host exactly or comes later by name, {until}"

    def _naming(self, name: str) -> list[Certificate]:
        parent = _parent(name)
        wild = self._by_name.get("*." + parent, []) if parent else []
        exact = self._by_name.get(name, [])
        return exact + [one for one in wild if one not in exact]

    def _judge(self, path: Path, entry: _Entry) -> Iterator[Problem]:
        certificate = entry.certificate
        if entry.error:
            kept = "; the one read before stays in use" if certificate else ""
            yield Problem(path, entry.error + kept, certificate is None)
        if certificate is not None:
            refusal = certificate.refusal(self._now())
            if refusal is not None:
                yield Problem(path, refusal, True)
            yield from (Problem(path, text, False) for text in certificate.warnings)

    def _sort(self) -> None:
        self._by_name, self._by_file = {}, {}
        for path, entry in self._entries.items():
            if entry.certificate is not None:
                for name in entry.certificate.names:
                    self._by_name.setdefault(name, []).append(entry.certificate)
                host = identity.ascii_host(_called_after(path))
                if host is not None:
                    self._by_file.setdefault(host, []).append(entry.certificate)

    def _candidates(self, directory: Path, depth: int,
                    problems: list[Problem]) -> Iterator[tuple[Path, Path]]:
        """Yield the files that should be certificates, each with the file its key should be in."""
        try:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(Problem(directory, f"cannot be read: {error.strerror}", True))
            return
        for entry in entries:
            if _is_directory(entry):
                if depth > 1 and not entry.name.startswith("."):
                    yield from self._candidates(Path(entry.path), depth - 1, problems)
                continue
            key_path = key_beside(Path(entry.path))
            if key_path is not None:
                yield Path(entry.path), key_path


def _called_after(path: Path) -> str:
    """Return the host of ``host.crt``, ``host.pem`` or ``host/fullchain.pem``."""
    return path.parent.name if path.name.startswith("fullchain") else path.stem


def _read(path: Path, key_path: Path, state: _State, before: _Entry | None) -> _Entry:
    try:
        return _Entry(state, load(path, key_path), None)
    except ValueError as error:
        return _Entry(state, before.certificate if before else None, str(error))


def _is_directory(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads to itself.
        return False


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _preference(name: str) -> Callable[[Certificate], tuple]:
    """Return the sort key of candidates; the greatest is the best."""
    return lambda one: (not one.self_signed, one.not_after, name in one.names, str(one.path))


def _parent(name: str) -> str | None:
    if identity.is_ip_address(name):
        return None
    return name.partition(".")[2] or None
