"""A module that fails again and again is switched off, and comes back when it is asked for."""

import gevent
import pytest
import yaml

from prosody_py.config.load import load
from prosody_py.events.bus import Event
from prosody_py.hosts.server import Server
from prosody_py.loader.lifecycle import Modules
from prosody_py.loader.switch_off import ErrorLimit
from prosody_py.router.unanswered import handler_failed

HOST = "example.com"
BROKEN = """
from prosody_py.api import hook

@hook("x")
def handle(module, event):
    raise RuntimeError("broken on purpose")
"""


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.server = Server(self.config(), {}, handler_failed)
        self.modules = Modules(self.server, [str(folder)])
        self.host = self.server.activate(HOST)
        self.told = []
        self.server.events.add_handler("module-switched-off", self.told.append)

    def config(self, **options):
        (self.folder / "c.yaml").write_text(yaml.safe_dump({**options, "hosts": {HOST: {}}}))
        return load(str(self.folder / "c.yaml"))

    def load(self, name, text):
        (self.folder / f"mod_{name}.py").write_text(text)
        return self.modules.load(HOST, name)

    def fire(self, times):
        for _ in range(times):
            self.host.events.fire_event("x", Event())
        gevent.sleep(0.001)

    def limit(self, value):
        self.server.config = self.config(module_error_limit=value)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_without_the_option_nothing_is_switched_off(place):
    module = place.load("broken", BROKEN)
    place.fire(50)
    assert module.errors == 50 and place.modules.is_loaded(HOST, "broken")


def test_a_module_over_the_limit_is_unloaded_with_a_warning_and_an_event(place, caplog):
    place.limit("3/minute")
    place.load("broken", BROKEN)
    place.fire(3)
    assert place.modules.is_loaded(HOST, "broken") and place.told == []
    place.fire(1)
    assert not place.modules.is_loaded(HOST, "broken")
    [event] = place.told
    assert (event.module, event.host) == ("broken", HOST) and "3/minute" in event.reason
    assert "mod_broken on example.com is switched off" in caplog.text
    assert "in x" in place.modules.switched_off.reasons[HOST, "broken"]


def test_errors_that_are_far_apart_do_not_count_together(place):
    place.limit("2/0.01 seconds")
    place.load("broken", BROKEN)
    for _ in range(6):
        place.fire(1)
        gevent.sleep(0.006)
    assert place.modules.is_loaded(HOST, "broken")


def test_what_depends_on_it_goes_with_it(place):
    place.limit("1/minute")
    place.load("broken", BROKEN)
    place.load("user", "DEPENDS = ['broken']")
    place.fire(2)
    assert place.host.modules == {}
    assert place.modules.switched_off.reasons[HOST, "user"] == "it needs mod_broken"


def test_only_the_host_where_it_fails_loses_a_shared_module(place):
    other = place.server.activate("example.org")
    place.limit("1/minute")
    place.load("broken", "GLOBAL = True\n" + BROKEN.replace('@hook("x")\n', "")
               + "\ndef add_host(module):\n    module.hook('x', lambda event: 1 / 0)\n")
    place.modules.load("example.org", "broken")
    place.fire(2)
    assert "broken" not in place.host.modules and "broken" in other.modules


def test_loading_it_again_brings_it_back_with_a_clean_slate(place):
    place.limit("2/minute")
    place.load("broken", BROKEN)
    place.fire(3)
    module = place.modules.load(HOST, "broken")
    assert place.modules.switched_off.reasons == {} and module.errors == 0
    place.fire(2)
    assert place.modules.is_loaded(HOST, "broken")


def test_a_fresh_instance_does_not_pay_for_the_old_one(place):
    place.limit("2/minute")
    old = place.load("broken", BROKEN)
    place.fire(2)
    place.modules.reload(HOST, "broken")
    old.count_error("something late")
    gevent.sleep(0.001)
    assert place.modules.is_loaded(HOST, "broken")


@pytest.mark.parametrize("value", [20, "20", "x/minute", "0/minute", "5/never", "2.5/hour",
                                   "1/fortnight"])
def test_a_limit_that_is_none_is_refused(value):
    [option] = ErrorLimit.declared()
    assert option.errors(value)


def test_limits_are_written_as_a_number_in_a_period():
    [option] = ErrorLimit.declared()
    assert option.parse("20/minute") == (20, 60) and option.parse("5 / 10 minutes") == (5, 600)
