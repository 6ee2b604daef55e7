"""Status codes and what they are called (RFC 9110 section 15, and the IANA registry)."""

from __future__ import annotations

from http import HTTPStatus

_NAMES = {status.value: status.phrase for status in HTTPStatus}
_NAMES.update({413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable",
               418: "I'm a teapot", 422: "Unprocessable Content"})


def reason(code: int) -> str:
    """Return the name of a status code."""
    return _NAMES.get(code, "Unassigned")


def bodiless(code: int) -> bool:
    """Whether answers with this code have no body."""
    return code < 200 or code in (204, 304)
