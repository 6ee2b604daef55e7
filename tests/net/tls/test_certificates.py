import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from prosody_py.net.tls import CertificateIndex
from prosody_py.net.tls.certificate import utc_now


@pytest.fixture
def put(issue, tmp_path):
    """Put a certificate into the directory: ``put("a.crt", "a.key", "a.example", days=5)``."""
    def put(name, key_name, *dns, **more):
        return issue(*dns, **more).write(tmp_path, name, key_name)
    return put


def found(directory, host):
    certificate = CertificateIndex(directory).find(host)
    return certificate and certificate.path.name


@pytest.mark.parametrize("name, key_name", [
    ("x.crt", "x.key"), ("fullchain.pem", "privkey.pem"), ("fullchain7.pem", "privkey7.pem"),
    ("x.pem", "x.pem"), ("x.pem", "x.key"), ("a/b/x.crt", "a/b/x.key"),
])
def test_finds_certificates_called_as_prosody_expects(put, tmp_path, name, key_name):
    path = put(name, key_name, "host.example")
    assert CertificateIndex(tmp_path).find("host.example").path == path


@pytest.mark.parametrize("name, key_name", [
    ("a/b/c/x.crt", "a/b/c/x.key"), (".old/x.crt", ".old/x.key"), ("x.cer", "x.key"),
])
def test_does_not_look_deeper_nor_into_dot_directories_nor_at_other_files(
        put, tmp_path, name, key_name):
    put(name, key_name, "host.example")
    index = CertificateIndex(tmp_path)
    assert index.find("host.example") is None
    assert index.problems == []


def test_a_lone_pem_without_key_is_ignored(put, tmp_path):
    path = put("chain.pem", "chain.key", "host.example")
    path.with_suffix(".key").unlink()
    assert CertificateIndex(tmp_path).reload() == []


def test_the_name_in_the_certificate_counts_in_any_spelling(put, tmp_path):
    put("x.crt", "x.key", "xn--bcher-kva.example")
    assert found(tmp_path, "BÜCHER.example") == "x.crt"
    assert found(tmp_path, "other.test") is None


def test_a_wildcard_stands_for_one_label(put, tmp_path):
    put("x.crt", "x.key", "*.host.example")
    assert found(tmp_path, "a.host.example") == "x.crt"
    assert found(tmp_path, "host.example") is None


def test_the_one_valid_longest_wins(put, tmp_path):
    put("a.crt", "a.key", "host.example", days=10)
    put("b.crt", "b.key", "*.example", days=30)
    put("c.crt", "c.key", "host.example", days=20)
    assert found(tmp_path, "host.example") == "b.crt"


def test_an_exact_name_wins_over_a_wildcard_of_the_same_life(put, tmp_path):
    put("b.crt", "b.key", "*.example", days=10)
    put("a.crt", "a.key", "host.example", days=10)
    assert found(tmp_path, "host.example") == "a.crt"


def test_a_signed_one_wins_over_a_self_signed_one_that_lives_longer(put, authority, tmp_path):
    put("a.crt", "a.key", "root", days=3)
    authority.write(tmp_path, "root.crt", "root.key")
    assert found(tmp_path, "root") == "a.crt"


def test_expired_and_future_certificates_are_refused_and_the_next_best_used(put, tmp_path):
    put("old.crt", "old.key", "host.example", days=-1)
    put("new.crt", "new.key", "host.example", days=60, since=2)
    assert found(tmp_path, "host.example") is None
    put("now.crt", "now.key", "host.example", days=1)
    index = CertificateIndex(tmp_path)
    assert index.find("host.example").path.name == "now.crt"
    assert {problem.path.name: problem.text.split()[0] for problem in index.problems} == {
        "old.crt": "expired", "new.crt": "not"}
    assert str(index.problems[1]).startswith(f"{tmp_path}/old.crt: expired ")


def test_validity_is_judged_when_asked_not_when_read(put, tmp_path):
    put("x.crt", "x.key", "host.example", days=1)
    now = utc_now()
    index = CertificateIndex(tmp_path, now=lambda: now)
    assert index.find("host.example")
    now += timedelta(days=2)
    assert index.find("host.example") is None


def test_a_component_takes_the_certificate_of_its_parent_domain(put, tmp_path):
    put("x.crt", "x.key", "host.example")
    assert found(tmp_path, "upload.files.host.example") == "x.crt"
    put("y.crt", "y.key", "files.host.example", days=5)
    assert found(tmp_path, "upload.files.host.example") == "y.crt"


@pytest.mark.parametrize("name, key_name", [
    ("host.example.crt", "host.example.key"), ("host.example.pem", "host.example.pem"),
    ("host.example/fullchain.pem", "host.example/privkey.pem"),
])
def test_a_file_called_after_the_host_is_used_if_no_certificate_names_it(
        put, tmp_path, name, key_name):
    path = put(name, key_name, "elsewhere.test", days=90)
    assert CertificateIndex(tmp_path).find("host.example").path == path
    put("named.crt", "named.key", "host.example", days=1)
    assert found(tmp_path, "host.example") == "named.crt"


def test_a_key_that_does_not_match_is_a_problem_and_others_stay_in_use(put, issue, tmp_path):
    put("good.crt", "good.key", "host.example")
    path = put("bad.crt", "bad.key", "host.example", days=90)
    path.with_suffix(".key").write_bytes(issue("x").key_pem)
    index = CertificateIndex(tmp_path)
    assert [(problem.path, problem.refused) for problem in index.problems] == [(path, True)]
    assert "not the key" in index.problems[0].text
    assert index.find("host.example").path.name == "good.crt"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\x00",
                                     b"-----BEGIN CERTIFICATE-----\nAAAA\n"
                                     b"-----END CERTIFICATE-----\n"])
def test_a_broken_file_is_a_problem(put, tmp_path, content):
    put("bad.crt", "bad.key", "host.example").write_bytes(content)
    [problem] = CertificateIndex(tmp_path).problems
    assert problem.refused and "not a PEM certificate" in problem.text


def test_a_missing_key_is_a_problem(put, tmp_path):
    put("x.crt", "x.key", "host.example").with_suffix(".key").unlink()
    [problem] = CertificateIndex(tmp_path).problems
    assert problem.refused and "x.key cannot be read: No such file" in problem.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_key_is_a_problem(put, tmp_path):
    put("x.crt", "x.key", "host.example").with_suffix(".key").chmod(0)
    [problem] = CertificateIndex(tmp_path).problems
    assert problem.refused and "Permission denied" in problem.text


def test_a_key_that_is_no_file_is_a_problem_and_is_not_opened(put, tmp_path):
    key_path = put("x.crt", "x.key", "host.example").with_suffix(".key")
    key_path.unlink()
    os.mkfifo(key_path)
    [problem] = CertificateIndex(tmp_path).problems
    assert "not a file" in problem.text


def test_an_encrypted_key_is_a_problem_that_does_not_quote_it(put, issue, tmp_path):
    issued = issue("host.example")
    path = issued.write(tmp_path, "x.crt", "x.key")
    path.with_suffix(".key").write_bytes(issued.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    [problem] = CertificateIndex(tmp_path).problems
    assert "encrypted" in problem.text


def test_a_key_that_everybody_may_read_is_used_with_a_warning(put, tmp_path):
    put("x.crt", "x.key", "host.example").with_suffix(".key").chmod(0o644)
    index = CertificateIndex(tmp_path)
    [problem] = index.problems
    assert not problem.refused and "everybody may read it" in problem.text
    assert index.find("host.example")


def test_a_missing_directory_is_a_problem(tmp_path):
    [problem] = CertificateIndex(tmp_path / "none").problems
    assert problem.refused and problem.path == tmp_path / "none"


def test_reload_reads_only_what_changed_and_forgets_what_is_gone(put, tmp_path):
    put("a.crt", "a.key", "a.example")
    b = put("b.crt", "b.key", "b.example")
    index = CertificateIndex(tmp_path)
    before = index.find("a.example"), index.find("b.example")
    put("b.crt", "b.key", "b.example")
    index.reload()
    assert index.find("a.example") is before[0]
    assert index.find("b.example") is not before[1]
    b.unlink()
    index.reload()
    assert index.find("b.example") is None


def test_a_certificate_that_breaks_stays_in_use_until_it_is_good_again(put, tmp_path):
    path = put("x.crt", "x.key", "host.example")
    index = CertificateIndex(tmp_path)
    before = index.find("host.example")
    path.write_bytes(path.read_bytes()[:100])
    for _ in range(2):
        [problem] = index.reload()
        assert not problem.refused and "stays in use" in problem.text
        assert index.find("host.example") is before
    put("x.crt", "x.key", "host.example", days=99)
    assert index.reload() == []
    assert index.find("host.example").not_after > before.not_after


def test_explain_says_for_each_candidate_why(put, authority, tmp_path):
    put("a.crt", "a.key", "host.example", days=20)
    put("b.crt", "b.key", "host.example", days=10)
    put("c.crt", "c.key", "host.example", days=-1)
    put("d.crt", "d.key", "d.test").with_suffix(".key").unlink()
    put("host.example.crt", "host.example.key", "d.test")
    text = "\n".join(CertificateIndex(tmp_path).explain("host.example"))
    assert "a.crt: chosen: valid until" in text
    assert "b.crt: not chosen: another is valid longer" in text
    assert "c.crt: refused: expired" in text
    assert "d.crt: not usable" in text
    assert "called after host.example but names d.test" in text


def test_explain_tells_of_the_parent_domain_and_of_nothing_found(put, tmp_path):
    put("a.crt", "a.key", "host.example")
    lines = CertificateIndex(tmp_path).explain("chat.host.example")
    assert lines[0].startswith("no certificate for chat.host.example")
    assert "chosen" in lines[1] and lines[1].endswith("names host.example")
    assert not any("chosen" in line for line in CertificateIndex(tmp_path).explain("x.test"))
    assert CertificateIndex(tmp_path).explain("no host") == ["'no host' is not a host name"]
