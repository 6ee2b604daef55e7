"""Numbers and permissions of a module."""

import pytest

from prosody_py.api.measures import measures
from prosody_py.api.module import Module


@pytest.fixture
def module(start_server):
    server = start_server(admins=["admin@localhost"]).server
    module = Module(server, "x", "localhost")
    module.registrations.attach()
    return module


def series(module, name):
    return measures(module.server).metrics["prosody_mod_x/" + name].labelled()


def test_measures_count_set_sample_and_time(module):
    count, amount = module.measure("requests", "counter"), module.measure("queue", "amount")
    count()
    count(2)
    amount(7)
    amount(3)
    module.measure("size", "sizes")(10)
    module.measure("size", "sizes")(30)
    module.measure("work", "times")()()
    assert series(module, "requests").value == 3 and series(module, "queue").value == 3
    size = series(module, "size")
    assert (size.count, size.value, size.lowest, size.highest) == (2, 40, 10, 30)
    assert series(module, "work").count == 1 and series(module, "work").value >= 0


def test_a_metric_has_a_series_for_each_label_up_to_a_limit(module):
    metric = module.metric("counter", "logins", label_keys=["host"])
    for number in range(3000):
        metric.labelled(f"host{number}").record(1)
    assert len(metric.series) <= 1001
    assert sum(one.value for one in metric.series.values()) == 3000


def test_an_unknown_kind_is_told(module):
    with pytest.raises(ValueError, match="kind of metric"):
        module.measure("x", "speed")


def test_permissions_are_by_role_and_end_with_the_module(module):
    module.default_permissions("prosody:admin", [":create"])
    module.default_permission("prosody:user", ":look")
    assert module.may(":create", "admin@localhost/a") and module.may(":look", "admin@localhost")
    assert module.may(":look", "user@localhost") and not module.may(":create", "user@localhost")
    assert not module.may(":look", "user@elsewhere.example")
    module.registrations.detach()
    assert not module.may(":create", "admin@localhost")
