"""The package index over HTTP: what its pages say, in which form, and which uploads it takes."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.registry.services import uploads
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from .package_files import form, metadata, sdist, wheel, wheel_name

if TYPE_CHECKING:
    from .conftest import Api

JSON_V1 = "application/vnd.pypi.simple.v1+json"
HTML_V1 = "application/vnd.pypi.simple.v1+html"
LATEST = "application/vnd.pypi.simple.latest+json"
PIP = f"{JSON_V1}, {HTML_V1}; q=0.1, text/html; q=0.01"


def upload(api: Api, filename: str | None, content: bytes, **more: Any) -> Any:
    user = more.pop("user", None)
    auth = (user, "secret") if user else None
    return api.client.post("/legacy/", data=form(filename, content, **more), auth=auth)


def put(api: Api, name: str, version: str, **more: Any) -> Any:
    answer = upload(api, wheel_name(name, version), wheel(name, version, **more))
    assert answer.status_code == 200, answer.text
    return answer


def page(api: Api, path: str, accept: str | None = JSON_V1, **headers: str) -> Any:
    sent = {"Accept": accept} if accept is not None else {}
    return api.client.get(path, headers={**sent, **headers})


class Links(HTMLParser):
    """The links of a page: text and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = dict(attrs) if tag == "a" else self._open

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.found.append((data, self._open))

    def handle_endtag(self, tag: str) -> None:
        self._open = None


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("text/html", "text/html"),
        ("text/*", "text/html"),
        (PIP, JSON_V1),
        (JSON_V1, JSON_V1),
        (HTML_V1, HTML_V1),
        (LATEST, JSON_V1),
        ("application/vnd.pypi.simple.latest+html", HTML_V1),
        (f"{JSON_V1};q=0.2, {HTML_V1};q=0.9", HTML_V1),
        (f"{JSON_V1};q=0, text/html", "text/html"),
        (f"{JSON_V1};q=0.5, */*;q=0.1", JSON_V1),
        (f"text/html;q=0.3, {JSON_V1};q=0.3", JSON_V1),
        ("application/*", JSON_V1),
        ("application/json", None),
        ("image/png, application/vnd.pypi.simple.v2+json", None),
        ("text/html;q=0, application/json", None),
    ],
)
def test_the_form_is_negotiated(api: Api, accept: str | None, sent: str | None) -> None:
    put(api, "left-pad", "1.0")
    for path in ("/simple/", "/simple/left-pad/"):
        answer = page(api, path, accept)
        if sent is None:
            assert answer.status_code == 406
        else:
            assert answer.headers["Vary"] == "Accept"
            assert (answer.status_code, answer.content_type.partition(";")[0]) == (200, sent)
            assert (answer.data[:1] == b"{") == (sent == JSON_V1)


def test_json_says_all_that_an_installer_chooses_by(each_api: Api) -> None:
    api = each_api
    content = wheel("left-pad", "1.0")
    put(api, "left-pad", "1.0")
    put(api, "left-pad", "1.10", Requires_Python="")
    put(api, "left-pad", "1.9rc1")
    packed = sdist("left-pad", "1.0")
    assert upload(api, "left_pad-1.0.tar.gz", packed).status_code == 200
    assert page(api, "/simple/").json == {"meta": {"api-version": "1.1"}, "projects": [{"name": "left-pad"}]}
    answer = page(api, "/simple/left-pad/").json
    assert (answer["meta"], answer["name"]) == ({"api-version": "1.1"}, "left-pad")
    assert answer["versions"] == ["1.0", "1.9rc1", "1.10"]
    files = {file["filename"]: file for file in answer["files"]}
    first = files["left_pad-1.0-py3-none-any.whl"]
    digest = hashlib.sha256(content).hexdigest()
    assert first["hashes"] == {"sha256": digest}
    assert first["size"] == len(content)
    assert first["requires-python"] == ">=3.8"
    assert first["yanked"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first["upload-time"])
    told = metadata("left-pad", "1.0").encode()
    assert first["core-metadata"] == first["dist-info-metadata"] == {"sha256": hashlib.sha256(told).hexdigest()}
    assert api.client.get(first["url"]).data == content
    assert api.client.get(first["url"] + ".metadata").data == told
    source = files["left_pad-1.0.tar.gz"]
    assert (source["size"], "core-metadata" in source) == (len(packed), False)
    assert api.client.get(source["url"] + ".metadata").status_code == 404
    assert "requires-python" not in files["left_pad-1.10-py3-none-any.whl"]


def test_html_says_the_same(api: Api) -> None:
    put(api, "left-pad", "1.0", Requires_Python=">=3.8,<4")
    assert Links(page(api, "/simple/", "text/html").text).found == [("left-pad", {"href": "/simple/left-pad/"})]
    text = page(api, "/simple/left-pad/", "text/html").text
    assert '<meta name="pypi:repository-version" content="1.1">' in text
    ((name, attributes),) = Links(text).found
    file = page(api, "/simple/left-pad/").json["files"][0]
    assert name == file["filename"]
    assert attributes == {
        "href": f"{file['url']}#sha256={file['hashes']['sha256']}",
        "data-requires-python": ">=3.8,<4",
        "data-core-metadata": f"sha256={file['core-metadata']['sha256']}",
        "data-dist-info-metadata": f"sha256={file['core-metadata']['sha256']}",
    }
    assert 'data-requires-python="&gt;=3.8,&lt;4"' in text


@pytest.mark.parametrize("spelling", ["Left_Pad", "left.pad", "LEFT--PAD", "left-_.pad"])
def test_other_spellings_lead_to_the_normal_one(api: Api, spelling: str) -> None:
    put(api, "left-pad", "1.0")
    answer = page(api, f"/simple/{spelling}/")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/simple/left-pad/")
    assert page(api, "/simple/left-pad").status_code in (301, 308)


@pytest.mark.parametrize("name", ["nothing", "\N{FIRE}", "%00", "..%2f..%2fetc", "a" * 300])
def test_what_is_not_there_is_a_404(api: Api, name: str) -> None:
    put(api, "left-pad", "1.0")
    assert page(api, f"/simple/{name}/").status_code == 404
    for file in (f"/simple/left-pad/{name}", f"/simple/{name}/left_pad-1.0-py3-none-any.whl"):
        assert page(api, file).status_code == 404


def test_pages_and_files_have_validators(api: Api) -> None:
    put(api, "left-pad", "1.0")
    for accept in (JSON_V1, "text/html"):
        first = page(api, "/simple/left-pad/", accept)
        assert first.headers["Cache-Control"] == "no-cache"
        again = page(api, "/simple/left-pad/", accept, **{"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data, again.headers["Vary"]) == (304, b"", "Accept")
    assert page(api, "/simple/left-pad/").headers["ETag"] != page(api, "/simple/left-pad/", HTML_V1).headers["ETag"]
    before = page(api, "/simple/left-pad/").headers["ETag"]
    put(api, "left-pad", "1.1")
    assert page(api, "/simple/left-pad/", **{"If-None-Match": before}).status_code == 200
    url = page(api, "/simple/left-pad/").json["files"][0]["url"]
    for path in (url, url + ".metadata"):
        file = api.client.get(path)
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert api.client.get(path, headers={"If-None-Match": file.headers["ETag"]}).status_code == 304


def test_parts_of_a_file(api: Api) -> None:
    put(api, "left-pad", "1.0")
    content = wheel("left-pad", "1.0")
    url = page(api, "/simple/left-pad/").json["files"][0]["url"]
    head = api.client.head(url)
    assert (head.status_code, head.headers["Accept-Ranges"], head.data) == (200, "bytes", b"")
    assert head.headers["Content-Length"] == str(len(content))
    for asked, start, end in (("0-9", 0, 10), ("10-", 10, len(content)), ("-7", len(content) - 7, len(content))):
        part = api.client.get(url, headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.data) == (206, content[start:end])
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(content)}"
    past = api.client.get(url, headers={"Range": f"bytes={len(content)}-"})
    assert (past.status_code, past.headers["Content-Range"]) == (416, f"bytes */{len(content)}")
    stale = api.client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (stale.status_code, len(stale.data)) == (200, len(content))


def test_the_same_upload_again_is_fine_and_another_is_refused(each_api: Api) -> None:
    api = each_api
    name, content = wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0")
    first = upload(api, name, content, user="ann")
    again = upload(api, name, content, user="bob")
    assert (first.status_code, again.status_code, again.json) == (200, 200, first.json)
    other = upload(api, name, wheel("left-pad", "1.0", text="changed = True\n"))
    assert (other.status_code, other.json["code"]) == (409, "file-taken")
    assert "already exists" in other.json["detail"]
    assert api.client.get(first.json["url"]).data == content
    events = api.get("/events").json["items"]
    assert [(e["kind"], e["subject"], e["by"]) for e in events] == [
        ("package-name", "left-pad", "ann"),
        ("package", "left-pad==1.0", "ann"),
    ]
    assert events[1]["data"]["sha256"] == first.json["sha256"]


def test_uploads_of_one_name_at_once_leave_one_file(each_api: Api) -> None:
    """Eight uploaders, eight contents, one file name: one wins, and the others are told."""
    api = each_api
    name = wheel_name("left-pad", "1.0")
    contents = [wheel("left-pad", "1.0", text=f"number = {i}\n") for i in range(8)]
    start = threading.Barrier(8)

    def send(content: bytes) -> int:
        client = api.client.application.test_client()
        start.wait(20)
        status: int = client.post("/legacy/", data=form(name, content)).status_code
        return status

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, contents))
    assert sorted(answers) == [200, *[409] * 7]
    (file,) = page(api, "/simple/left-pad/").json["files"]
    assert api.client.get(file["url"]).data == contents[answers.index(200)]


def _zip_bomb() -> bytes:
    return wheel("left-pad", "1.0", Summary="x" * (5 << 20))


def _deep_bomb() -> bytes:
    import gzip

    entry = tarfile.TarInfo("left_pad-1.0/data")
    entry.size = 300 << 20
    return gzip.compress(entry.tobuf() + b"\0" * entry.size, 6, mtime=0)


WRONG: dict[str, tuple[str | None, Any, dict[str, Any]]] = {
    # what is wrong → file name, content, further form fields
    "another digest": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0"), {"sha256_digest": "0" * 64}),
    "another blake2": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0"), {"blake2_256_digest": "0" * 64}),
    "another md5": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0"), {"md5_digest": "0" * 32}),
    "another name in the form": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0"), {"name": "right-pad"}),
    "another version in the form": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0"), {"version": "2"}),
    "another name inside": (wheel_name("left-pad", "1.0"), wheel("right-pad", "1.0"), {}),
    "another version inside": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.1"), {}),
    "another name in the metadata": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0", Name="right-pad"), {}),
    "another version in the metadata": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0", Version="1.1"), {}),
    "no metadata": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0", leave_out="METADATA"), {}),
    "no record": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0", leave_out="RECORD"), {}),
    "metadata that say nothing": (
        wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0", Metadata_Version="", Name=""), {},
    ),
    "metadata nobody can read": (
        wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0", Requires_Python="about three"), {},
    ),
    "half a wheel": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0")[:300], {}),
    "no wheel at all": (wheel_name("left-pad", "1.0"), b"hello", {}),
    "nothing": (wheel_name("left-pad", "1.0"), b"", {}),
    "half an sdist": ("left_pad-1.0.tar.gz", sdist("left-pad", "1.0")[:-20], {}),
    "an sdist without PKG-INFO": ("left_pad-1.0.tar.gz", sdist("left-pad", "1.0", path="left_pad-1.0/x"), {}),
    "an sdist with another's PKG-INFO": ("left_pad-1.0.tar.gz", sdist("right-pad", "1.0"), {}),
    "an egg": ("left_pad-1.0-py3.egg", b"", {}),
    "a name with an emoji": ("\N{FIRE}-1.0-py3-none-any.whl", wheel("left-pad", "1.0"), {}),
    "a name that is no wheel's": ("leftpad.whl", wheel("left-pad", "1.0"), {}),
    "a name that leads away": ("../../left_pad-1.0-py3-none-any.whl", wheel("left-pad", "1.0"), {}),
    "a version that is none": ("left_pad-one-py3-none-any.whl", wheel("left-pad", "one"), {}),
    "a long name": ("a" * 280 + "-1.0-py3-none-any.whl", wheel("a" * 280, "1.0"), {}),
    "another action": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0"), {":action": "doc_upload"}),
    "another protocol": (wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0"), {"protocol_version": "2"}),
    "no file": (None, b"", {}),
    "metadata of 5 MiB": (wheel_name("left-pad", "1.0"), _zip_bomb, {}),
    "300 MiB in 1": ("left_pad-1.0.tar.gz", _deep_bomb, {}),
}  # fmt: skip


BOMBS = {"metadata of 5 MiB": "metadata is longer than", "300 MiB in 1": "unpacks to more than"}
"""What is refused for its size, and not for what would be found once all of it was unpacked."""


@pytest.mark.parametrize("what", WRONG)
def test_uploads_of_no_use_leave_nothing(api: Api, what: str) -> None:
    filename, content, fields = WRONG[what]
    answer = upload(api, filename, content() if callable(content) else content, **fields)
    assert (answer.status_code, answer.json["code"]) == (422, "file-unusable"), answer.text
    assert BOMBS.get(what, "") in answer.json["detail"]
    assert len(answer.json["detail"]) > 20
    assert api.get("/events").json["items"] == []
    assert page(api, "/simple/").json["projects"] == []


def test_a_long_description_beside_the_file_is_fine(api: Api) -> None:
    name, content = wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0")
    file = FileStorage(io.BytesIO(content), name, name="content")
    fields = form(name, content, description="words " * 150_000, content=file)
    boundary, body = encode_multipart(fields)
    sent = api.client.post("/legacy/", data=body, content_type=f"multipart/form-data; boundary={boundary}")
    assert sent.status_code == 200, sent.text


def test_an_upload_that_is_too_large_is_told_so(api: Api) -> None:
    limit = api.client.application.config["MAX_CONTENT_LENGTH"]
    sent = api.client.post("/legacy/", data=b"x" * (limit + 1), content_type="multipart/form-data; boundary=b")
    assert sent.status_code == 413


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind-a-proxy.example"}, True),
        ({"Origin": "http://elsewhere.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_pages_of_other_sites_upload_and_publish_nothing(api: Api, headers: dict[str, str], allowed: bool) -> None:
    """A page anywhere can make its visitor's browser post a form to a server inside the visitor's network."""
    name, content = wheel_name("left-pad", "1.0"), wheel("left-pad", "1.0")
    sent = api.client.post("/legacy/", data=form(name, content), headers=headers)
    body = {"schema": {"type": "object"}, "role": "consumes", "kind": "event", "channels": ["c"]}
    published = api.client.post("/api/v1/contracts/a/b/versions", data=json.dumps(body), headers=headers)
    assert (sent.status_code, published.status_code) == ((200, 201) if allowed else (403, 403))
    assert (len(api.get("/events").json["items"]) > 0) == allowed
    assert page(api, "/simple/", **headers).status_code == 200


def test_sources_and_wheels_are_read_alike() -> None:
    for filename, content in (
        ("Left.Pad-1.0.tar.gz", sdist("Left.Pad", "1.0")),
        ("Left_Pad-1.0-py3-none-any.whl", wheel("Left.Pad", "1.0", folder="Left_Pad-1.0.dist-info")),
    ):
        facts = uploads.read_upload(uploads.Upload(filename, content, "left-pad", "1"))
        assert (facts.project, facts.version, facts.requires_python) == ("left-pad", "1.0", ">=3.8")
