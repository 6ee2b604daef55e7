"""All libraries that stand on a server."""

from __future__ import annotations

from pathlib import Path

import prosody_py.lua.runtime


def test_every_library_loads_under_both_names_and_leaves_no_globals(running):
    root = Path(prosody_py.lua.runtime.LIB)
    names = [".".join(path.relative_to(root).with_suffix("").parts)
             for path in sorted(root.rglob("*.lua"))]
    assert "core.usermanager" in names
    before = set(running.runtime.lua.globals().keys())
    for name in names:
        assert running.lua("local a = ...; return require(a) == require('prosody.' .. a)",
                           name) is True, name
    assert set(running.runtime.lua.globals().keys()) == before
