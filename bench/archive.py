"""How long a page of an archive takes, by the number of messages in it.

    python bench/archive.py [--counts 0,10000,1000000] [--json FILE]

Messages of 100 characters to 50 partners in turn, in an SQLite file with an index of words, as
mod_mam keeps them. Each figure is the time from the query to the last message as an element, in
milliseconds, for a page of 50 (median and 99th percentile of 200 queries, each at another place).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time

from prosody_py.storage.archive_page import ends, read_page
from prosody_py.storage.sqlite import SQLiteStorage
from prosody_py.xmpp.mam import ArchiveQuery
from prosody_py.xmpp.rsm import PageRequest
from prosody_py.xmpp.stanza import Stanza

PARTNERS, PAGE, ROUNDS, CHUNK = 50, 50, 200, 4000
WORDS = ("time people way water words long little very after called just where most know get "
         "through back much before good new write our used me man too any day same right look "
         "think also around another came come work three must because does part").split()
START = 1_700_000_000


def text(number: int, rng: random.Random) -> str:
    """Return a message of about 100 characters; one in 10,000 has a rare word."""
    words = rng.choices(WORDS, k=18)
    if number % 10_000 == 77:
        words[3] = "zyzzyva"
    return " ".join(words)


def fill(archive, count: int) -> float:
    """Put messages into the archive; return the seconds that took."""
    rng = random.Random(1)
    begun = time.perf_counter()
    for first in range(0, count, CHUNK):
        waits = []
        for number in range(first, min(first + CHUNK, count)):
            partner = f"friend{number % PARTNERS}@example.com"
            message = Stanza("message", {"from": partner + "/phone", "to": "juliet@example.com",
                                         "type": "chat", "id": f"m{number}"})
            message.body(text(number, rng))
            waits.append(archive.begin_append("juliet", f"id{number}", message,
                                              START + number * 10, partner)[1])
        for wait in waits:
            wait()
    return time.perf_counter() - begun


def queries(count: int, rng: random.Random) -> dict:
    """Return functions that make a query and say with whom, by what they measure."""
    page = PageRequest(max=PAGE)
    place = (lambda: f"id{rng.randrange(count)}") if count else (lambda: None)
    friend = f"friend{rng.randrange(PARTNERS)}@example.com"
    return {
        "first page": lambda: (ArchiveQuery(page=page), None),
        "last page": lambda: (ArchiveQuery(page=PageRequest(max=PAGE, before="")), None),
        "after a message": lambda: (ArchiveQuery(page=PageRequest(PAGE, after=place())), None),
        "before a message": lambda: (
            ArchiveQuery(page=PageRequest(PAGE, before=place() or "")), None),
        "since a time": lambda: (ArchiveQuery(
            start=START + rng.randrange(count + 1) * 10, page=page), None),
        "last page of a partner": lambda: (
            ArchiveQuery(page=PageRequest(max=PAGE, before="")), friend),
        "before a message, of a partner": lambda: (
            ArchiveQuery(page=PageRequest(PAGE, before=place() or "")), friend),
        "how many there are": lambda: (ArchiveQuery(page=PageRequest(max=0)), None),
        "a rare word, last page": lambda: (ArchiveQuery(
            fulltext="zyzzyva", page=PageRequest(max=PAGE, before="")), None),
        "two common words, last page": lambda: (ArchiveQuery(
            fulltext="water people", page=PageRequest(max=PAGE, before="")), None),
    }


def measure(archive, count: int) -> dict[str, dict[str, float]]:
    """Return {what: {"median", "p99"}} in milliseconds."""
    rng, results = random.Random(2), {}
    for name, make in queries(count, rng).items():
        times = []
        for _ in range(10 if "common" in name else ROUNDS):
            query, with_ = make()
            begun = time.perf_counter()
            read_page(archive, "juliet", query, PAGE, with_=with_)
            times.append((time.perf_counter() - begun) * 1000)
        times.sort()
        results[name] = {"median": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}
    results["sent with an id"] = look_up(archive, count, rng)
    begun = time.perf_counter()
    ends(archive, "juliet")
    results["metadata"] = {"median": (time.perf_counter() - begun) * 1000, "p99": 0.0}
    return results


def look_up(archive, count: int, rng: random.Random) -> dict[str, float]:
    """Return how long it takes to find messages that may be retracted."""
    times = []
    for _ in range(ROUNDS):
        number = rng.randrange(count + 1)
        partner = f"friend{number % PARTNERS}@example.com"
        begun = time.perf_counter()
        found = archive.said("juliet", partner, f"m{number}")
        times.append((time.perf_counter() - begun) * 1000)
        assert len(found) == (number < count)
    times.sort()
    return {"median": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}


def main() -> None:
    """Measure and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--counts", default="0,10000,1000000")
    arguments.add_argument("--json", help="write the figures to this file")
    options = arguments.parse_args()
    figures = {}
    for count in map(int, options.counts.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "archive.sqlite")
            storage = SQLiteStorage(path)
            archive = storage.open("example.com", "archive", "archive")
            archive.index_words(True)
            archive.index_ids()
            seconds = fill(archive, count)
            figures[count] = measure(archive, count)
            storage.close()
            size = os.path.getsize(path)
        if count:
            print(f"{count} messages written in {seconds:.1f} s, "
                  f"{seconds / count * 1e6:.0f} us each, {size / count:.0f} bytes each")
    print("\n| page of 50, ms: median (p99) |" + "".join(f" {count} |" for count in figures))
    print("|---|" + "---|" * len(figures))
    for name in next(iter(figures.values())):
        cells = [figures[count][name] for count in figures]
        print(f"| {name} |" + "".join(f" {cell['median']:.2f} ({cell['p99']:.2f}) |"
                                      for cell in cells))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
