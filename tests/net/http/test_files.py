"""Files: what is below the folder and nothing else, validators, ranges."""

from __future__ import annotations

import os

import pytest

MODULE = '''
"""Serves the folder that the option www names."""
DEPENDS = ("http",)


def load(module):
    serve = module.server.http.files(module.get_option_path("www"), {"txt": "text/plain"})
    module.provides("http", {"name": "f", "route": {"GET /*": serve}})
'''
BIG = bytes(range(256)) * 4000


@pytest.fixture
def files(start_web, tmp_path):
    www = tmp_path / "www"
    (www / "sub" / "deep").mkdir(parents=True)
    (www / "index.html").write_text("<p>index")
    (www / "a.txt").write_text("abcdefghij")
    (www / "big.bin").write_bytes(BIG)
    (www / "sub" / "ü b.txt").write_text("named")
    os.mkfifo(www / "pipe")
    (tmp_path / "secret.txt").write_text("secret")
    web = start_web(MODULE, "f", www=str(www))
    return web.client()


def test_a_file_has_a_type_and_validators(files):
    answer = files.get("/f/a.txt")
    assert (answer.status, answer.text) == (200, "abcdefghij")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-length"] == "10" and answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"') and answer.headers["last-modified"]
    assert files.get("/f/big.bin").headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(("path", "status"), [
    ("/f/absent", 404), ("/f/a.txt/", 404), ("/f/a.txt/b", 404), ("/f/../secret.txt", 400),
    ("/f/%2e%2e/secret.txt", 400), ("/f/sub/..%2f..%2fsecret.txt", 400),
    ("/f//etc/passwd", 404), ("/f/sub/", 403), ("/f/pipe", 404), ("/f/..", 400),
    ("/f/sub/../a.txt", 200), ("/f/sub/%c3%bc%20b.txt", 200), ("/f/", 200), ("/f/./a.txt", 200)])
def test_only_what_is_below_the_folder_is_served(files, path, status):
    answer = files.get(path)
    assert answer.status == status and "secret" not in answer.text


@pytest.mark.parametrize(("path", "location"), [
    ("/f", "/f/"), ("/f?a=b", "/f/?a=b"), ("/f/sub", "/f/sub/"), ("/f/sub?x", "/f/sub/?x")])
def test_folders_have_a_slash_at_their_end(files, path, location):
    answer = files.get(path)
    assert (answer.status, answer.headers["location"]) == (301, location)


def test_what_the_client_has_is_not_sent_again(files):
    first = files.get("/f/a.txt").headers
    same = [{"if_none_match": first["etag"]}, {"if_none_match": f'"x", W/{first["etag"]}'},
            {"if_none_match": "*"}, {"if_modified_since": first["last-modified"]},
            {"if_modified_since": "Fri, 01 Jan 2100 00:00:00 GMT"}]
    for headers in same:
        answer = files.get("/f/a.txt", **headers)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", first["etag"])
    for headers in ({"if_none_match": '"x"'}, {"if_modified_since": "no date"},
                    {"if_modified_since": "Thu, 01 Jan 1970 00:00:00 GMT"},
                    {"if_none_match": '"x"', "if_modified_since": first["last-modified"]}):
        assert files.get("/f/a.txt", **headers).status == 200


@pytest.mark.parametrize(("wanted", "status", "part"), [
    ("bytes=2-4", 206, (2, 5)), ("bytes=2-", 206, (2, None)), ("bytes=-3", 206, (-3, None)),
    ("bytes=0-0", 206, (0, 1)), ("bytes=5-100000000", 206, (5, None)),
    ("bytes=-100000000", 206, (0, None)), ("bytes=100000000-", 416, None),
    ("bytes=-0", 416, None), ("bytes=4-2", 200, (0, None)), ("bytes=0-1,3-4", 200, (0, None)),
    ("lines=0-1", 200, (0, None)), ("bytes=-", 200, (0, None)),
    ("bytes=" + "9" * 5000 + "-", 200, (0, None))])
@pytest.mark.parametrize("name", ["a.txt", "big.bin"])
def test_a_part_is_sent_when_a_part_is_asked_for(files, name, wanted, status, part):
    data = BIG if name == "big.bin" else b"abcdefghij"
    answer = files.get("/f/" + name, range=wanted)
    assert answer.status == status
    if part is None:
        assert answer.headers["content-range"] == f"bytes */{len(data)}"
        return
    expected = data[slice(*part)]
    assert answer.body == expected
    if status == 206:
        start = data.find(expected) if name == "a.txt" else int(
            answer.headers["content-range"].split()[1].split("-")[0])
        assert answer.headers["content-range"] == (
            f"bytes {start}-{start + len(expected) - 1}/{len(data)}")


def test_a_part_of_another_version_is_not_sent(files):
    etag = files.get("/f/a.txt").headers["etag"]
    assert files.get("/f/a.txt", range="bytes=1-1", if_range=etag).status == 206
    assert files.get("/f/a.txt", range="bytes=1-1", if_range='"old"').status == 200


def test_head_says_how_large_a_file_is(files):
    answer = files.request("HEAD", "/f/big.bin")
    assert (answer.headers["content-length"], answer.body) == (str(len(BIG)), b"")
    assert files.get("/f/big.bin").body == BIG
