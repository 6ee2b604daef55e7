"""Tell systemd how the service does: sd_notify(3), spoken by hand.

Each message is a datagram of NAME=value lines to the socket in $NOTIFY_SOCKET. Without that
variable nothing happens. A message that cannot be sent is dropped: serving goes on.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from gevent import get_hub


class Notifier:
    """The service manager of this process, if there is one."""

    def __init__(self, environment: Mapping[str, str] = os.environ):
        address = environment.get("NOTIFY_SOCKET", "")
        # An "@" stands for the NUL byte of an abstract address.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._period = self._watchdog_period(environment)
        self._timer = None

    @staticmethod
    def _watchdog_period(environment: Mapping[str, str]) -> float | None:
        """Return the seconds between signs of life: half of what is allowed."""
        if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
            return None
        try:
            period = int(environment.get("WATCHDOG_USEC", "0")) / 2_000_000
        except ValueError:
            return None
        return period if period > 0 else None

    def ready(self, status: str) -> None:
        """The service serves, or a reload has ended; `status` is shown by systemctl."""
        self._send("READY=1", "STATUS=" + status)
        if self._period is not None and self._address and self._timer is None:
            # A timer of the loop: a process whose loop is stuck gives no sign of life.
            self._timer = get_hub().loop.timer(0, self._period)
            self._timer.start(self._send, "WATCHDOG=1")

    def reloading(self) -> None:
        """A reload begins; `ready` says that it has ended."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send("RELOADING=1", f"MONOTONIC_USEC={now}", "STATUS=Reads its configuration anew")

    def stopping(self) -> None:
        """The service ends; the watchdog goes on until the process does."""
        self._send("STOPPING=1", "STATUS=Says good-bye")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.setblocking(False)
                sock.sendto("\n".join(line.replace("\n", " ") for line in lines).encode(),
                            self._address)
        except OSError:
            pass  # the manager is restarting or gone; it asks nobody for a second try
