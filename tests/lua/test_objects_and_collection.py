"""Objects of Python stay what they are for Lua, whenever Lua collects what it no longer needs."""


class Thing:
    pass


def test_objects_are_never_taken_for_each_other(place):
    border = place.border
    kept = [Thing() for _ in range(50)]
    for turn in range(4000):
        for obj in (kept[turn % 50], Thing(), {}):
            assert border.to_python(border.to_lua(obj)) is obj
