import pytest
from OpenSSL import SSL

from prosody_py.net.tls.settings import PROFILES, TlsOptionError, parse


def test_every_profile_is_understood_by_openssl_and_offers_nothing_before_tls_1_2():
    for name in PROFILES:
        assert parse({}, name).minimum >= SSL.TLS1_2_VERSION


def test_prosodys_names_are_understood(tmp_path):
    settings = parse({
        "protocol": "tlsv1_2", "ciphers": ["ECDHE-RSA-AES128-GCM-SHA256", "HIGH"],
        "curve": "secp384r1", "options": ["no_ticket", "cipher_server_preference"],
        "certificate": "a.crt", "key": "/b.key", "verify": ["peer"], "depth": 3,
    }, directory=tmp_path)
    assert settings.minimum == settings.maximum == SSL.TLS1_2_VERSION
    assert settings.ciphers == "ECDHE-RSA-AES128-GCM-SHA256:HIGH"
    assert settings.groups == ("P-384",)
    assert settings.options == SSL.OP_NO_TICKET | SSL.OP_CIPHER_SERVER_PREFERENCE
    assert settings.certificate == tmp_path / "a.crt"
    assert str(settings.key) == "/b.key"
    assert settings.verify == SSL.VERIFY_PEER


@pytest.mark.parametrize("mapping, text", [
    ({"cihpers": "HIGH"}, "did you mean 'ciphers'"),
    ({"protocol": "tlsv1"}, "nothing before TLS 1.2"),
    ({"protocol": ["tlsv1_2"]}, "nothing before TLS 1.2"),
    ({"ciphers": "NONSENSE"}, "ciphers: OpenSSL knows none"),
    ({"ciphersuites": "NONSENSE"}, "ciphersuites"),
    ({"ciphers": []}, "name or a list"),
    ({"ciphers": 7}, "name or a list"),
    ({"curve": "P-nonsense"}, "does not know 'P-nonsense'"),
    ({"options": "no_sslv4"}, "did you mean 'no_sslv"),
    ({"verify": "pear"}, "did you mean 'peer'"),
    ({"depth": -1}, "0 to 100"), ({"depth": True}, "0 to 100"),
    ({"key": "x.key"}, "key without certificate"),
    ({"certificate": 5}, "must be a path"),
    ({"password": 5}, "must be a text"),
])
def test_what_is_not_understood_is_refused_by_name(mapping, text):
    with pytest.raises(TlsOptionError, match=text):
        parse(mapping)


def test_an_unknown_profile_is_refused():
    with pytest.raises(TlsOptionError, match="'ancient' is not one of modern, intermediate"):
        parse({}, "ancient")


def test_the_password_does_not_show():
    assert "hunter2" not in repr(parse({"password": "hunter2"}))
