"""Storages of both kinds for the tests of what every storage does."""

import os
from pathlib import Path

import gevent
import pytest

from prosody_py.storage.memory import MemoryStorage
from prosody_py.storage.sqlite import SQLiteStorage


@pytest.fixture(params=["memory", "sqlite"])
def kind_of_storage(request):
    """Return what kind of storage `make_storage` makes."""
    return request.param


@pytest.fixture
def make_storage(kind_of_storage, tmp_path):
    """Return a function that makes a storage with the given options."""
    made = []

    def make(**options):
        if kind_of_storage == "memory":
            storage = MemoryStorage(**options)
        else:
            cache = {"cache_bytes": 0} if kind_of_storage == "sqlite-uncached" else {}
            storage = SQLiteStorage(tmp_path / f"{len(made)}.sqlite", **cache, **options)
        made.append(storage)
        return storage

    yield make
    for storage in made:
        storage.close()


@pytest.fixture
def storage(make_storage):
    """Return a storage."""
    return make_storage()


@pytest.fixture
def sqlite_storage(tmp_path):
    """Return an SQLiteStorage with a cache."""
    storage = SQLiteStorage(tmp_path / "stores.sqlite")
    yield storage
    storage.close()


@pytest.fixture
def script_environment():
    """Return the environment for a script that imports the code under test."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture
def together():
    """Return a function that runs functions in greenlets and returns results or exceptions."""
    def run(*functions):
        greenlets = [gevent.spawn(_caught, function) for function in functions]
        gevent.joinall(greenlets, raise_error=True)
        return [greenlet.value for greenlet in greenlets]
    return run


def _caught(function):
    try:
        return function()
    except Exception as error:
        return error
