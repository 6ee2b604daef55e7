"""Handing mail to a mail server: SMTP (RFC 5321) by the standard library, on gevent's sockets."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Sequence

from prosody_py.api.outgoing import DnsError, HttpError, MailError
from prosody_py.net.http_client.dial import connect

_TIMEOUT = 60.0
_LINE_END = re.compile(rb"\r\n|\n|\r")


class _Smtp(smtplib.SMTP):
    """smtplib's client, connected through the server's resolver without blocking the process."""

    def __init__(self, resolver, own_name: str, seconds: float):
        self._resolver = resolver
        super().__init__(local_hostname=own_name, timeout=seconds)

    def _get_socket(self, host, port, timeout):
        sock = connect(self._resolver.addresses(host), port, timeout)
        sock.settimeout(timeout)
        return sock


class Mail:
    """Sends mail for the whole server; `resolver` finds the mail server's addresses."""

    def __init__(self, resolver):
        self._resolver = resolver

    def send(self, sender: str, recipients: Sequence[str], message: bytes, *,
             server: str = "localhost", port: int = 25, own_name: str = "localhost",
             user: str | None = None, password: str | None = None,
             seconds: float = _TIMEOUT) -> None:
        """Hand a message, header and body, to a mail server; waits.

        Line ends become CRLF. All recipients are taken or none. Raises MailError.
        """
        for text in (sender, *recipients, own_name):
            if any(ord(char) < 32 for char in text):
                raise MailError("an address has a control character in it")
        if not recipients:
            raise MailError("there is no recipient")
        client = _Smtp(self._resolver, own_name, seconds)
        try:
            _expect(client.connect(server, int(port)), 220)
            client.ehlo_or_helo_if_needed()
            if user is not None:
                client.login(user, password or "")
            _expect(client.mail(sender), 250)
            for recipient in recipients:
                _expect(client.rcpt(recipient), 250, 251)
            # A lone CR or LF may be an end of the mail to others on its way.
            _expect(client.data(_LINE_END.sub(b"\r\n", message)), 250)
            client.quit()
        except HttpError as error:
            raise MailError(error.code) from None
        except DnsError as error:
            raise MailError(f"host not found: {server}") from error
        except smtplib.SMTPResponseException as error:
            raise MailError(_words(error.smtp_code, error.smtp_error)) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise MailError(str(error) or type(error).__name__) from None
        finally:
            client.close()


def _expect(answer: tuple[int, bytes], *wanted: int) -> None:
    if answer[0] not in wanted:
        raise MailError(_words(*answer))


def _words(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
