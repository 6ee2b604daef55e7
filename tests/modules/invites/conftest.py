"""What the tests of invitations share: servers on which one registers with them."""

from __future__ import annotations

import pytest


@pytest.fixture
def start(start_server):
    """Return a function that starts a server with options."""
    return lambda **options: start_server(
        ["register_ibr", "invites", "invites_register"],
        **{"allow_registration": True, **options})


@pytest.fixture
def running(start):
    """Return a server."""
    return start()
