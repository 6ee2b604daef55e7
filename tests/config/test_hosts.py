import pytest

from prosody_py.config.hosts import AUTOLOAD, modules_for
from prosody_py.config.load import load_mapping


def modules(host="h", **data):
    data.setdefault("hosts", {"h": {}})
    return modules_for(load_mapping(data), host)


def own(**options):
    return {"hosts": {"h": options}}


def component(**options):
    return {"hosts": {}, "components": {"h": options}}


def test_a_host_gets_what_is_always_loaded_then_the_global_list_in_order():
    assert modules(modules_enabled=["tls", "roster", "disco"]) == [
        *AUTOLOAD, "tls", "roster", "disco"]


def test_the_list_of_a_host_adds_to_the_global_one():
    assert modules(modules_enabled=["tls"], **own(modules_enabled=["welcome", "tls"])) == [
        *AUTOLOAD, "tls", "welcome"]


def test_a_single_name_is_a_list_of_one():
    assert modules(**own(modules_enabled="welcome"))[-1] == "welcome"


def test_a_globally_disabled_module_can_be_enabled_by_a_host():
    data = {"modules_enabled": ["tls", "motd"], "modules_disabled": ["motd", "offline"]}
    assert modules(**data) == ["presence", "message", "iq", "c2s", "tls"]
    assert modules(**data, **own(modules_enabled=["motd"]))[-1] == "motd"


def test_a_host_can_disable_anything_of_its_own():
    data = own(modules_enabled=["motd"], modules_disabled=["motd", "tls", "c2s"])
    assert modules(modules_enabled=["tls"], **data) == ["presence", "message", "iq", "offline"]


def test_a_component_has_its_module_first_and_inherits_only_some():
    data = component(module="muc", modules_enabled=["muc_mam"])
    assert modules(modules_enabled=["roster", "tls", "smacks", "disco"], **data) == [
        "muc", "iq", "tls", "smacks", "muc_mam"]


def test_a_component_without_module_is_external():
    assert modules(**component()) == ["component", "iq"]


def test_the_module_of_a_component_cannot_be_disabled():
    assert modules(**component(module="muc", modules_disabled=["muc", "iq"])) == ["muc"]


def test_the_module_of_a_component_is_not_loaded_twice():
    assert modules(**component(module="muc", modules_enabled=["muc"])) == ["muc", "iq"]


def test_what_is_no_name_is_passed_over():
    assert modules(modules_enabled=[5, "tls", {}], modules_disabled=True) == [*AUTOLOAD, "tls"]


def test_an_unknown_host_has_no_modules():
    with pytest.raises(KeyError):
        modules("other")
