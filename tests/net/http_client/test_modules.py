"""Modules that ask, and what becomes of it when they are unloaded."""

from __future__ import annotations

import gevent

from prosody_py.api.outgoing import Job
from prosody_py.api.registrations import Registrations
from prosody_py.testing.answering import ok


class FakeModule:
    """The part of a module that a job knows."""

    def __init__(self):
        self.registrations = Registrations()
        self.registrations.attach()
        self.owner = self


def test_a_job_ends_with_its_module():
    module, seen = FakeModule(), []
    Job(module, lambda: gevent.sleep(0.01), lambda *found: seen.append(found))
    ended = Job(module, lambda: gevent.sleep(0.03), lambda *found: seen.append(found),
                lambda: seen.append("gone"))
    gevent.sleep(0.02)
    assert seen == [(None, None)]
    module.registrations.detach()
    gevent.sleep(0.03)
    assert seen == [(None, None), "gone"] and not ended.active


def test_a_module_asks_and_is_told_when_it_is_unloaded(start_server, tmp_path, web):
    server = web({"/": ok(), "/slow": lambda _sock: gevent.sleep(5)})
    (tmp_path / "mod_asking.py").write_text(
        "import gevent\nfrom prosody_py.api import HttpError\n"
        "def load(module):\n"
        f"    module.answer = module.http.request({server.url('/')!r}).text()\n"
        "    gevent.spawn(wait, module)\n"
        "def wait(module):\n"
        "    try:\n"
        f"        module.http.request({server.url('/slow')!r})\n"
        "    except HttpError as error:\n"
        "        module.answer = error.code\n")
    running = start_server(["asking"], plugin_paths=[str(tmp_path)])
    module = running.server.modules.get_module("localhost", "asking")
    assert module.answer == "hello"
    gevent.sleep(0.05)
    running.server.modules.unload("localhost", "asking")
    gevent.sleep(0.01)
    assert module.answer == "cancelled"


def test_a_reload_changes_the_options(start_server):
    running = start_server()
    server = running.server
    assert server.http_client.options.http_client_max_connections == 100
    running.write_config(http_client_max_connections=7, dns_servers=["127.0.0.1:5300"],
                         use_ipv6=False)
    server.reload_config()
    assert server.http_client.options.http_client_max_connections == 7
    assert (server.dns._servers, server.dns.use_ipv6) == ([("127.0.0.1", 5300)], False)
