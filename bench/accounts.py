"""Write the accounts of a load test into the store: accounts.py CONFIG FILE (user:password lines).

All accounts of a load test have the same password, so keys are derived once.
"""

import sys

from prosody_py.app.startup import activate_hosts, assemble
from prosody_py.config.load import load


def main(config: str, accounts: str) -> None:
    """Create the accounts."""
    server = assemble(load(config))
    activate_hosts(server)
    keys: dict[str, dict] = {}
    for host in server.hosts.values():
        store = server.storage.open(host.host, "accounts")
        with open(accounts, encoding="utf-8") as file:
            for line in file:
                username, _, password = line.strip().partition(":")
                if password not in keys:
                    keys[password] = host.users._derive(password)
                store.set(username, {"scram": keys[password], "created": 0, "updated": 0})
    server.events.fire_event("server-cleanup")


if __name__ == "__main__":
    main(*sys.argv[1:])
