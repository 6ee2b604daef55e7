"""Reading and writing on a TLS connection, with the errors of a plain socket."""

from __future__ import annotations

from OpenSSL import SSL

from prosody_py.net.tls import TlsConnection

_RECORD_SIZE = 16 * 1024  # what one TLS record carries


def receive(tls: TlsConnection, size: int = _RECORD_SIZE) -> bytes | None:
    """Return what has come, b"" at the end, None when no record is complete; raises OSError.

    It is at most `size` bytes, and of one record; what it leaves is `tls.pending()`.
    """
    try:
        data = tls.recv(min(size, _RECORD_SIZE))
        left = min(tls.pending(), size - len(data))
        if left > 0:
            data += tls.recv(left)
        return data
    except (SSL.WantReadError, SSL.WantWriteError):
        return None
    except SSL.ZeroReturnError:
        return b""
    except SSL.Error as error:
        raise _os_error(error) from None


def transmit(tls: TlsConnection, data: bytes) -> int:
    """Write as much as the socket takes; return how many bytes that is; raises OSError."""
    sent = 0
    try:
        while sent < len(data):
            sent += tls.send(data[sent:sent + _RECORD_SIZE])
    except (SSL.WantReadError, SSL.WantWriteError):
        pass
    except SSL.Error as error:
        raise _os_error(error) from None
    return sent


def _os_error(error: SSL.Error) -> OSError:
    if isinstance(error, SSL.SysCallError):
        return OSError(error.args[0], "connection reset")
    return OSError(0, "TLS: " + tls_reason(error))


def tls_reason(error: SSL.Error) -> str:
    """Return the text of an OpenSSL error, for logs."""
    reasons = error.args[0] if error.args else ()
    if isinstance(reasons, (list, tuple)) and reasons:
        return reasons[0][2] or "unknown error"
    return str(error) or "unknown error"
