"""Serving the files of a folder: types, ETag and Last-Modified, ranges (RFC 9110 section 13, 14).

Files are opened and read in threads, so a slow disk holds up nobody else.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import Any, BinaryIO

from gevent import get_hub

from prosody_py.lua.values import decode, encode

_AT_ONCE = 64 * 1024  # bytes of a file that is read when it is opened
_PIECE = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})").fullmatch


class FileServer:
    """A handler `(event, path)` that serves what is below the folder `path`.

    `mime_types` maps endings of file names to types. A folder is answered with the first of
    `index_files` that it has; else, with `directory_index`, with what a handler of the event
    `directory-index` gives; else it is forbidden.
    """

    def __init__(self, path: str, mime_types: Mapping[str, str] | None = None,
                 index_files: tuple[str, ...] = (), directory_index: bool = False,
                 fire_event: Callable[[str, Any], Any] | None = None):
        self.path = os.path.abspath(path)
        self.mime_types = {} if mime_types is None else mime_types
        self.index_files = index_files
        self.directory_index = directory_index
        self._fire_event = fire_event

    def __call__(self, event: Any, path: Any = None) -> Any:
        """Answer a request; a number is the code of an error, True says that it is answered."""
        request, response = event.request, event.response
        path = request.path if path is None else path
        path = decode(path) if isinstance(path, bytes) else str(path)
        names = _names(path)
        if names is None:
            return 400
        folder = not path or path.endswith("/")
        return self._serve(request, response, os.path.join(self.path, *names), folder)

    def _serve(self, request: Any, response: Any, full_path: str, folder: bool) -> Any:
        found = _in_thread(_open, encode(full_path))
        if found is None:
            return 404
        if found.file is None:
            if found.mode is None:
                return 403
            return self._serve_folder(request, response, full_path, folder)
        if folder:
            found.close()
            return 404
        return _Answer(request, response, found, self._type_of(full_path)).give()

    def _serve_folder(self, request: Any, response: Any, full_path: str, folder: bool) -> Any:
        if not folder:
            query = request.url.query
            response.headers["location"] = (request.url.path + "/"
                                            + (f"?{query}" if query else ""))
            return 301
        for name in self.index_files:
            index = os.path.join(full_path, name)
            found = _in_thread(_open, encode(index))
            if found is not None and found.file is not None:
                return _Answer(request, response, found, self._type_of(index)).give()
        if self.directory_index and self._fire_event is not None:
            page = self._fire_event("directory-index",
                                    {"path": request.path, "full_path": full_path})
            if page is not None:
                response.headers["content_type"] = "text/html; charset=utf-8"
                return page
        return 403

    def _type_of(self, path: str) -> str:
        ending = os.path.splitext(path)[1][1:].lower()
        return self.mime_types.get(ending) or "application/octet-stream"


@dataclass
class _Found:
    """What is at a path; `data` is the whole of a small file."""

    file: BinaryIO | None
    mode: int | None = None
    size: int = 0
    modified: float = 0
    changed: float = 0
    data: bytes | None = None

    @property
    def etag(self) -> str:
        """The entity tag: when the file was changed, its size, when it was modified."""
        return f'"{int(self.changed):x}-{self.size:x}-{int(self.modified):x}"'

    def close(self) -> None:
        """Close the file."""
        if self.file is not None:
            self.file.close()


def _open(path: bytes) -> _Found | None:
    """Open a file; `mode` is None for what may not be read. Runs in a thread."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        return _Found(None)
    except (OSError, ValueError):
        return None
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode):
        os.close(descriptor)
        return _Found(None, info.st_mode) if stat.S_ISDIR(info.st_mode) else None
    file = os.fdopen(descriptor, "rb", buffering=0)
    found = _Found(file, info.st_mode, info.st_size, info.st_mtime, info.st_ctime)
    if info.st_size <= _AT_ONCE:
        found.data = file.read(_AT_ONCE + 1) or b""
        found.size = len(found.data)
        file.close()
    return found


def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return get_hub().threadpool.apply(function, args)


def _names(path: str) -> list[str] | None:
    """Return the parts of a path below the folder; None for one that leads out of it."""
    names: list[str] = []
    if "\0" in path:
        return None
    for name in path.split("/"):
        if name == "..":
            if not names:
                return None
            names.pop()
        elif name not in ("", "."):
            names.append(name)
    return names


class _Answer:
    """One file as the answer to one request."""

    def __init__(self, request: Any, response: Any, found: _Found, type: str):
        self.request, self.response, self.found, self.type = request, response, found, type

    def give(self) -> Any:
        """Send the file, or say why not; closes it."""
        found, headers = self.found, self.response.headers
        headers["etag"] = found.etag
        headers["last_modified"] = formatdate(found.modified, usegmt=True)
        if self._known():
            found.close()
            return 304
        headers["content_type"] = self.type
        headers["accept_ranges"] = "bytes"
        start, size = 0, found.size
        chosen = self._range()
        if chosen is not None:
            start, size = chosen
            if size <= 0:
                found.close()
                del headers["content_type"]
                headers["content_range"] = f"bytes */{found.size}"
                return 416
            self.response.status_code = 206
            headers["content_range"] = f"bytes {start}-{start + size - 1}/{found.size}"
        return self._send(start, size)

    def _send(self, start: int, size: int) -> Any:
        found, response = self.found, self.response
        response.headers["content_length"] = str(size)
        if response.is_head_request or found.data is not None:
            found.close()
            response.give(b"" if response.is_head_request else found.data[start:start + size])
        else:
            response.send_parts(_parts(found.file, start, size), found.close)
        return True

    def _known(self) -> bool:
        """Whether the client has this file already (RFC 9110 section 13.2.2)."""
        headers = self.request.headers
        tags = headers.get("if_none_match")
        if tags is not None:
            known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
            return "*" in known or self.found.etag in known
        since = _date(headers.get("if_modified_since"))
        return since is not None and int(self.found.modified) <= since

    def _range(self) -> tuple[int, int] | None:
        """Return start and size of the part that is asked for, None for the whole file."""
        headers = self.request.headers
        wanted = _RANGE(headers.get("range", "").strip())
        condition = headers.get("if_range")
        if wanted is None or self.request.method not in ("GET", "HEAD") or (
                condition is not None and condition.strip() != self.found.etag
                and _date(condition) != int(self.found.modified)):
            return None
        first, last, size = wanted[1], wanted[2], self.found.size
        if not first:
            if not last:
                return None
            length = min(int(last), size)
            return size - length, length
        start = int(first)
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
        return start, end - start + 1


def _parts(file: BinaryIO, start: int, size: int) -> Iterator[bytes]:
    if start:
        file.seek(start)
    while size > 0:
        data = _in_thread(file.read, min(_PIECE, size))
        if not data:
            raise OSError("the file has become shorter")
        size -= len(data)
        yield data


def _date(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None
