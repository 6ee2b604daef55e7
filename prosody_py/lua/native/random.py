"""Random bytes from the system's generator."""

import secrets
from collections.abc import Callable

MAX_BYTES = 1 << 20


def random_bytes(count: int) -> bytes | None:
    """Return `count` random bytes, at most 1 MiB; None for any other count."""
    if not isinstance(count, (int, float)) or not 0 <= count <= MAX_BYTES or count != int(count):
        return None
    return secrets.token_bytes(int(count))


def functions() -> dict[str, Callable]:
    """Return `bytes(count)`."""
    return {"bytes": random_bytes}
