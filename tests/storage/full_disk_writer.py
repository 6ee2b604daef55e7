"""Writes to a storage whose files may not grow over 300 kB; prints users and the first error."""

import resource
import sys

from prosody_py.storage.interface import StorageError
from prosody_py.storage.sqlite import SQLiteStorage

resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
storage = SQLiteStorage(sys.argv[1])
store = storage.open("localhost", "roster", "keyval")
number = 0
while True:
    try:
        store.set(f"user{number}", {"a": "x" * 10_000})
    except StorageError as error:
        print("StorageError", error.condition, error, flush=True)
        break
    print(f"user{number}", flush=True)
    number += 1
