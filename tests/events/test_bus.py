"""The bus: order, results, wrappers, isolation (the semantics that both languages rely on)."""

from prosody_py.events.bus import Events


def chain(events, *specs):
    """Register handlers (name, priority, result) that note their names; return the notes."""
    notes = []
    for name, priority, result in specs:
        def handler(_data, name=name, result=result):
            notes.append(name)
            return result
        events.add_handler("e", handler, priority)
    return notes


def test_higher_priority_runs_first_and_equal_ones_in_order_of_registration():
    events = Events()
    notes = chain(events, ("a", 0, None), ("b", 5, None), ("c", 0, None), ("d", -0.5, None))
    events.fire_event("e")
    assert notes == ["b", "a", "c", "d"]


def test_the_first_result_that_is_not_none_ends_the_chain_even_when_false():
    events = Events()
    notes = chain(events, ("a", 2, None), ("b", 1, False), ("c", 0, True))
    assert events.fire_event("e") is False
    assert notes == ["a", "b"]


def test_adding_the_same_handler_again_changes_its_priority():
    events = Events()
    notes = []

    def first(_data):
        notes.append("first")

    events.add_handler("e", first, 10)
    events.add_handler("e", lambda _data: notes.append("second"), 5)
    events.add_handler("e", first, 1)
    events.fire_event("e")
    assert notes == ["second", "first"]


def test_a_firing_works_on_the_chain_as_it_was_when_it_began():
    events = Events()
    notes = []

    def late(_data):
        notes.append("late")

    def removed(_data):
        notes.append("removed")

    def first(_data):
        events.add_handler("e", late)
        events.remove_handler("e", removed)

    events.add_handler("e", first, 1)
    events.add_handler("e", removed)
    events.fire_event("e")
    assert notes == ["removed"]
    events.fire_event("e")
    assert notes == ["removed", "late"]


def test_an_event_without_handlers_leaves_no_trace():
    events = Events()

    def handler(_data):
        return True

    events.add_handler("e", handler)
    events.remove_handler("e", handler)
    assert not events.index
    assert events.fire_event("e") is None


def test_an_error_stays_with_its_handler_and_the_chain_goes_on():
    failures = []
    events = Events(lambda handler, name, data, error: failures.append((name, str(error))))

    def broken(_data):
        raise ValueError("broken")

    events.add_handler("e", broken, 1)
    events.add_handler("e", lambda _data: "done")
    assert events.fire_event("e", {}) == "done"
    assert failures == [("e", "broken")]


def test_wrappers_of_an_event_stand_outside_those_of_all_and_the_last_is_outermost():
    events = Events()
    notes = []

    def wrapper(name):
        def wrap(fire, event, data):
            notes.append(name + "<")
            result = fire(event, data)
            notes.append(">" + name)
            return result
        return wrap

    events.add_handler("e", lambda data: data * 2)
    events.add_wrapper(None, wrapper("all"))
    events.add_wrapper("e", wrapper("one"))
    events.add_wrapper("e", wrapper("two"))
    assert events.fire_event("e", 21) == 42
    assert notes == ["two<", "one<", "all<", ">all", ">one", ">two"]


def test_a_wrapper_that_is_removed_costs_nothing_any_more():
    events = Events()

    def wrapper(fire, event, data):
        return "wrapped"

    events.add_wrapper("e", wrapper)
    assert events.fire_event("e") == "wrapped"
    events.remove_wrapper("e", wrapper)
    assert events.wrapped is False
    assert events.fire_event("e") is None
