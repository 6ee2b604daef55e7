"""A pubsub component, shared by the tests of a file, and people who talk to it."""

from __future__ import annotations

import secrets

import pytest

from prosody_py.testing.people import People
from prosody_py.testing.pubsub import Asking

HOST = "pubsub.localhost"


@pytest.fixture(scope="module")
def server(tmp_path_factory, launch):
    server = launch(tmp_path_factory.mktemp("server"), ["presence", "message"],
                    components={HOST: {"module": "pubsub", "modules_enabled": ["disco"]}},
                    admins=["hamlet@localhost"])
    yield server
    server.stop()


@pytest.fixture
def people(server):
    people = People(server)
    yield people
    people.close()


@pytest.fixture
def hamlet(server):
    """Return the administrator, who may make nodes."""
    client = server.client("hamlet").available()
    yield Asking(client, HOST)
    client.close()


@pytest.fixture
def person(people):
    """Return a function that logs somebody in and lets them talk to the component."""
    return lambda name, resource="r": Asking(people.login(name, resource), HOST)


@pytest.fixture
def francisco(person):
    return person("francisco")


@pytest.fixture
def node():
    """Return the name of a node that no other test has."""
    return "node-" + secrets.token_hex(4)


@pytest.fixture
def made(hamlet, node):
    """Return a node with the default configuration, made by hamlet."""
    hamlet.create(node)
    return node
