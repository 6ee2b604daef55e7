"""What happens when the process has no more files to open."""

from __future__ import annotations

import os
import resource

import pytest
from gevent import socket

from prosody_py.testing.client import wait_until


@pytest.fixture
def no_more_files():
    """Return (use all that there are, give them back)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = []

    def take():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))

    def give_back():
        while taken:
            os.close(taken.pop())
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    yield take, give_back
    give_back()


def test_who_is_there_is_served_and_who_comes_waits(start_server, no_more_files, caplog):
    take, give_back = no_more_files
    running = start_server()
    running.user("juliet")
    romeo = running.client("romeo")
    comes = socket.socket()
    take()
    comes.connect(running.address())
    wait_until(lambda: "Cannot accept connections" in caplog.text)
    for _ in range(20):
        romeo.flush()
    assert caplog.text.count("Cannot accept connections") < 10, "it rests in between"
    give_back()
    comes.settimeout(20)
    comes.sendall(b"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' "
                  b"xmlns:stream='http://etherx.jabber.org/streams'>")
    assert comes.recv(65536).startswith(b"<?xml")
    comes.close()
