"""Connections that are used again, how many there are at once, and those that fail."""

from __future__ import annotations

import os
import time

import gevent
from hypothesis import given, settings
from hypothesis import strategies as st

from prosody_py.net.http_client.slots import Slots
from prosody_py.testing.answering import ok
from prosody_py.testing.client import wait_until


def test_a_connection_is_used_again_for_what_may_be_repeated(web, client):
    server = web({"/": ok()})
    for _ in range(3):
        client.request(server.url("/"))
    assert server.connections == 1
    client.request(server.url("/"), body="not twice")
    assert server.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_replaced(web, client):
    server = web({"/": lambda sock: sock.sendall(ok())})
    for _ in range(3):
        assert client.request(server.url("/")).body == b"hello"
    assert server.connections == 3


def test_only_so_many_requests_are_under_way(web, client_with):
    client = client_with(http_client_max_connections_per_server=2)
    at_once = [0, 0]

    def count(sock):
        at_once[0] += 1
        at_once[1] = max(at_once)
        gevent.sleep(0.005)
        at_once[0] -= 1
        sock.sendall(ok())

    server = web({"/": count})
    jobs = [gevent.spawn(client.request, server.url("/")) for _ in range(10)]
    gevent.joinall(jobs, raise_error=True)
    assert at_once == [0, 2] and client._slots.used == 0


def test_who_is_ended_leaves_nothing_behind(web, client):
    server = web({"/": lambda sock: sock.recv(1)})
    before = len(os.listdir("/proc/self/fd"))
    jobs = [gevent.spawn(client.request, server.url("/")) for _ in range(30)]
    gevent.sleep(0.05)
    gevent.killall(jobs)
    assert client._slots.used == 0 and not client._slots._line
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_the_next_address_is_tried_when_one_does_not_answer(web, client_with):
    server = web({"/": ok()})
    client = client_with({"two.example": ["::1", "127.0.0.1"],
                          "dead.example": ["192.0.2.1", "127.0.0.1"]})
    for host in ("two.example", "dead.example"):
        begin = time.monotonic()
        assert client.request(server.url("/", host=host)).status == 200
        assert time.monotonic() - begin < 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
@settings(max_examples=40, deadline=None)
def test_slots_are_never_more_than_allowed(steps):
    slots, holding, jobs = Slots(3, 2), [], []

    def take(origin):
        slots.acquire(origin, 1)
        holding.append(origin)
        assert len(holding) <= 3 and holding.count(origin) <= 2

    for origin, taking in steps:
        if taking:
            jobs.append(gevent.spawn(take, origin))
        elif holding:
            slots.release(holding.pop(0))
        gevent.sleep(0)
    while any(not job.ready() for job in jobs) or holding:
        gevent.sleep(0)
        if holding:
            slots.release(holding.pop())
    gevent.joinall(jobs, raise_error=True)
    assert slots.used == 0 and not slots._line and not slots._waiting
