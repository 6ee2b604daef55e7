"""What the tests of archives share: reading an archive, and people with something in it."""

from __future__ import annotations

import pytest

from prosody_py.testing.archives import Archive


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    """Return a server with archives, the file's own."""
    server = launch(tmp_path_factory.mktemp("server"), ["mam", "offline"])
    yield server
    server.stop()


@pytest.fixture
def juliet(people):
    """Return a client whose archive is read, as an Archive."""
    return Archive(people.login("juliet", "balcony"))


@pytest.fixture
def romeo(people):
    """Return somebody who talks with juliet."""
    return Archive(people.login("romeo", "orchard"))


@pytest.fixture
def talk(juliet, romeo):
    """Return juliet and romeo, after five lines of his and an answer."""
    for number in range(5):
        romeo.say(juliet.client.bare_jid, f"line {number}")
    juliet.say(romeo.client.jid, "answer")
    juliet.client.flush()
    return juliet, romeo
