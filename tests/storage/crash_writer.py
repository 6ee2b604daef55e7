"""For each line "path" on standard input: forks a process that writes until it is killed.

The process prints its number, then a line for each write that was acknowledged.
"""

import os
import sys

import gevent

from prosody_py.storage.sqlite import SQLiteStorage
from prosody_py.xmpp.stanza import Stanza


def tell(text):
    os.write(1, text.encode() + b"\n")


def write(storage, name):
    plus = storage.open("localhost", "roster", "keyval+")
    archive = storage.open("localhost", "archive", "archive")
    number = (plus.get_key(name, "number") or 0) + 1
    while True:
        plus.set(name, {"number": number, "twin": number, False: number})
        tell(f"set {name} {number}")
        plus.set_keys(name, {"number": number + 1, "twin": number + 1, False: number + 1})
        tell(f"set {name} {number + 1}")
        key = f"{name}-{number}"
        archive.append(name, key, Stanza("message").body(key), number, "x")
        tell(f"append {name} {key}")
        key = archive.append(name, None, Stanza("message").body("no key"), number, "x")
        tell(f"append {name} {key}")
        number += 2


def main():
    for path in sys.stdin:
        if os.fork() == 0:
            tell(f"process {os.getpid()}")
            storage = SQLiteStorage(path.rstrip("\n"))
            gevent.joinall([gevent.spawn(write, storage, f"user{n}") for n in range(8)])
            os._exit(1)
        os.wait()
        tell("dead")


main()
