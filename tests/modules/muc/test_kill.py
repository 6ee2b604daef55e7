"""What owners of rooms were told is done is there after kill -9 of the server at any moment."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
import yaml

from prosody_py.testing.client import Client, Closed
from prosody_py.testing.rooms import HOST, Guest, error
from prosody_py.xmpp.errors import StreamError

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
OPTIONS = {
    "run_as_root": True, "interfaces": ["127.0.0.1"], "c2s_ports": [0],
    "c2s_require_encryption": False, "password_hashes": ["SHA-1"],
    "default_iteration_count": 4096, "allow_registration": True,
    "modules_enabled": ["saslauth", "roster", "ping", "disco", "register"],
    "log": {"level": "info", "to": "console"}, "hosts": {"localhost": {}},
    "components": {HOST: {"module": "muc"}},
}


class Server:
    """The real server as a process."""

    def __init__(self, folder):
        self.file, self.log = folder / "prosody.cfg.yaml", folder / "log"
        self.file.write_text(yaml.safe_dump(OPTIONS))
        self.process = None

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "prosody_py", "--config", str(self.file), "run"],
                env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=log, stderr=log)
        for _ in range(2000):
            found = re.search(r"Ready: .*c2s 127\.0\.0\.1:(\d+)", self.log.read_text())
            if found:
                self.port = int(found[1])
                return
            time.sleep(0.01)
        pytest.fail(self.log.read_text())

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def register(self, username):
        client = Client(("127.0.0.1", self.port))
        client.open()
        answer = client.iq("set", "<query xmlns='jabber:iq:register'>"
                           f"<username>{username}</username><password>secret</password></query>")
        assert answer.attr["type"] == "result", str(answer)
        client.close()

    def guest(self, username, room):
        client = Client(("127.0.0.1", self.port)).login(username)
        return Guest(SimpleNamespace(room=room), client, username)


class Work:
    """What owners do until the server is killed, and what they were told."""

    def __init__(self):
        self.turn, self.members, self.titles = 0, set(), {}
        self.rooms, self.destroyed = [], []

    def next(self):
        self.turn += 1
        return self.turn

    def affiliations(self, server):
        owner = server.guest("anna", f"lists@{HOST}")
        owner.join()
        assert owner.configure(persistentroom="1").attr["type"] == "result"
        while True:
            account = f"member{self.next()}@localhost"
            assert owner.iq("set", "<query xmlns='http://jabber.org/protocol/muc#admin'>"
                            f"<item jid='{account}' affiliation='member'/></query>",
                            f"lists@{HOST}").attr["type"] == "result"
            self.members.add(account)

    def configurations(self, server):
        room = f"title@{HOST}"
        owner = server.guest("otto", room)
        owner.join()
        while True:
            title = f"Title {self.next()}"
            self.titles = {"tried": title, "kept": self.titles.get("kept")}
            assert configure(owner, room, title).attr["type"] == "result"
            self.titles["kept"] = title

    def comings_and_goings(self, server):
        client = Client(("127.0.0.1", server.port)).login("cleo")
        while True:
            room = f"room{self.next()}@{HOST}"
            client.send(f"<presence to='{room}/cleo'><x xmlns='http://jabber.org/protocol/muc'/>"
                        "</presence>")
            guest = Guest(None, client, "cleo")
            assert configure(guest, room, room).attr["type"] == "result"
            self.rooms.append(room)
            if self.turn % 2:
                self.rooms.remove(room)  # until it is known, either may be true
                answer = client.iq("set", "<query xmlns='http://jabber.org/protocol/muc#owner'>"
                                   "<destroy/></query>", room)
                assert answer.attr["type"] == "result", str(answer)
                self.destroyed.append(room)

    def check(self, server):
        anna = server.guest("anna", f"lists@{HOST}")
        if self.members:
            assert self.members <= {one["jid"] for one in anna.listed(affiliation="member")}
        if self.titles.get("kept"):
            kept = anna.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>",
                           f"title@{HOST}").tags[0].get_child("identity").attr["name"]
            assert kept in self.titles.values()
        for room in self.rooms:
            info = anna.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", room)
            assert info.tags[0].get_child("identity").attr["name"] == room
        for room in self.destroyed:
            info = anna.iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", room)
            assert error(info)[1] == "gone"


def configure(owner, room, title):
    return owner.client.iq("set", "<query xmlns='http://jabber.org/protocol/muc#owner'>"
                           "<x xmlns='jabber:x:data' type='submit'>"
                           "<field var='muc#roomconfig_persistentroom'><value>1</value></field>"
                           f"<field var='muc#roomconfig_roomname'><value>{title}</value></field>"
                           "</x></query>", room)


def until_gone(job, server):
    try:
        job(server)
    except (Closed, OSError, StreamError):
        return


def test_nothing_acknowledged_is_lost(tmp_path):
    server, work, rng = Server(tmp_path), Work(), random.Random()
    try:
        server.start()
        for name in ("anna", "otto", "cleo"):
            server.register(name)
        for _ in range(5):
            jobs = [gevent.spawn(until_gone, job, server) for job in (
                work.affiliations, work.configurations, work.comings_and_goings)]
            gevent.sleep(0.1 + rng.random() * 0.6)
            server.kill()
            gevent.joinall(jobs, timeout=30, raise_error=True)
            server.start()
            work.check(server)
        assert work.members and work.titles["kept"] and work.rooms and work.destroyed
    finally:
        server.kill()
