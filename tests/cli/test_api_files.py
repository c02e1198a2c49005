"""APIs of one and of several files on the command line: places in every file, and what a reference may not do."""

import json
import re

import pytest
from deedbox.registry.serving import run_in_background

from .commands import committed, run

ROOT = """\
openapi: 3.1.0
info:
  title: Orders
  version: "1"
paths:
  /orders:
    get:
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema:
                $ref: parts/order.yaml#/Order
    delete:
      responses:
        "204":
          description: gone
"""
ORDER = """\
Order:
  type: object
  required: [id]
  properties:
    id:
      type: string
    total:
      type: integer
    link:
      $ref: 'deep/link.json#/Link'
"""
LINK = '{"Link": {"type": "object",\n "properties": {\n  "order": {"$ref": "../order.yaml#/Order"},\n  "href": {"type": "string"}}}}'
EVENTS = """\
asyncapi: 3.0.0
info: {title: Events, version: '1'}
channels:
  orders:
    address: shop.orders
    messages:
      placed:
        payload:
          $ref: payload.json
operations:
  send:
    action: send
    channel: {$ref: '#/channels/orders'}
"""


def write(folder, **files):
    for name, text in ({"api.yaml": ROOT, "parts/order.yaml": ORDER, "parts/deep/link.json": LINK} | files).items():
        if text is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    return folder


CHANGED = {
    "api.yaml": ROOT[: ROOT.index("    delete:")],
    "parts/order.yaml": ORDER.replace("    total:\n      type: integer\n", ""),
    "parts/deep/link.json": LINK.replace('"type": "string"', '"type": ["string", "null"]'),
}


def test_each_finding_has_its_place_in_the_file_it_stands_in(tmp_path):
    write(tmp_path / "a")
    write(tmp_path / "b", **CHANGED)
    found = json.loads(run(tmp_path, "diff", "a/api.yaml", "b/api.yaml", "--format", "json", code=1))
    assert found["role"] == "provides"
    places = {f["rule"]: (f["file"], f["line"], f["column"]) for f in found["findings"] if f["level"] == "breaking"}
    # What is gone is shown at its parent in the old file,
    assert places["operation-removed"] == ("a/api.yaml", 6, 3)
    assert places["property-removed"] == ("a/parts/order.yaml", 4, 3)
    assert ("b/parts/deep/link.json", 4, 3) in places.values()
    # and to a code host at the nearest place that is left, since the old file is not in the pull request.
    lines = run(tmp_path, "diff", "a/api.yaml", "b/api.yaml", "--format", "github", code=1)
    assert re.search(r"^::error file=b/api\.yaml,line=6,col=3,title=[^:]*operation-removed::", lines, re.M)
    assert re.search(r"^::error file=b/parts/order\.yaml,line=4,col=3,title=[^:]*property-removed::", lines, re.M)
    assert "file=a/" not in lines
    assert run(tmp_path, "diff", "a/api.yaml", "a/api.yaml", "--format", "json").count('"identical"') >= 1


def test_files_that_were_only_moved_are_no_change_of_meaning(tmp_path):
    write(tmp_path / "a")
    order = ORDER.replace("deep/link.json", "other/l.json")
    link = LINK.replace("../order.yaml", "../o.yaml")
    root = ROOT.replace("parts/order.yaml", "p/o.yaml")
    moved = {"api.yaml": root, "p/o.yaml": order, "p/other/l.json": link}
    write(tmp_path / "b", **{"parts/order.yaml": None, "parts/deep/link.json": None}, **moved)
    found = json.loads(run(tmp_path, "diff", "a/api.yaml", "b/api.yaml", "--format", "json"))
    assert found["verdict"] in ("patch", "identical")
    assert found["findings"] == [] or {f["level"] for f in found["findings"]} == {"patch"}


@pytest.mark.parametrize(
    ("files", "where", "says"),
    [
        ({"api.yaml": ROOT.replace("parts/order", "../order")}, "api.yaml:14:", "in: only files under it are read"),
        ({"api.yaml": ROOT.replace("parts/order", "/etc/order")}, "api.yaml:14:", "in: only files under it are read"),
        ({"api.yaml": ROOT.replace("parts/", "https://x.example/")}, "api.yaml:14:", "nothing is ever fetched"),
        ({"parts/deep/link.json": None}, "parts/order.yaml:10:", "there is no file parts/deep/link.json"),
        ({"parts/order.yaml": ORDER.replace("link.json#/Link", "link.json#/Lonk")}, "parts/order.yaml:9:", "nowhere"),
        ({"parts/order.yaml": "Order:\n\ttype: object\n"}, "parts/order.yaml:2:", ""),
        ({"parts/order.yaml": "Order: {type: object, type: array}\n"}, "parts/order.yaml:1:", "twice"),
        (
            {"api.yaml": ROOT[: ROOT.index("    get:")] + "    $ref: parts/path.yaml\n",
             "parts/path.yaml": "$ref: '../api.yaml#/paths/~1orders'\n"},
            "parts/path.yaml:1:",
            "itself",
        ),
    ],
)  # fmt: skip
def test_what_a_reference_may_not_do_is_told_with_file_and_line(tmp_path, files, where, says):
    (tmp_path / "order.yaml").write_text(ORDER)
    folder = write(tmp_path / "in", **files)
    for command in (("diff", "api.yaml", "api.yaml"), ("check", "api.yaml", "--against", "api.yaml")):
        text = run(folder, *command, code=2)
        assert where in text
        assert says in text


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.yaml").write_text(ORDER)
    folder = write(tmp_path / "in", **{"parts/order.yaml": None})
    (folder / "parts/order.yaml").symlink_to(tmp_path / "secret.yaml")
    assert "there is no file parts/order.yaml" in run(folder, "diff", "api.yaml", "api.yaml", code=2)


def project(service, role, more=""):
    return f'[deedbox]\nservice = "{service}"\n[[contract]]\nname = "api"\nfile = "api.yaml"\nrole = "{role}"\n{more}'


def test_git_has_the_other_files_too(tmp_path):
    write(tmp_path, **{"deedbox.toml": project("shop", "provides")})
    committed(tmp_path)
    write(tmp_path, **CHANGED)
    (result,) = json.loads(run(tmp_path, "check", "--against", "git:HEAD", "--format", "json", code=1))["results"]
    breaking = {f["rule"]: (f["file"], f["line"]) for f in result["findings"] if f["level"] == "breaking"}
    # What is gone is shown where it was: at the nearest place that is still there.
    assert breaking["operation-removed"] == ("api.yaml", 6)
    assert breaking["property-removed"] == ("parts/order.yaml", 4)
    assert ("parts/deep/link.json", 4) in breaking.values()
    lines = run(
        tmp_path, "check", "--against", "git:HEAD", "--format", "github", code=1, GITHUB_WORKSPACE=str(tmp_path)
    )
    assert re.search(
        r"^::error file=parts/order\.yaml,line=4,col=\d+,title=shop/api%3A property-removed::", lines, re.M
    )


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


def test_the_registry_gets_one_document_and_its_findings_come_back_to_the_files(tmp_path, registry):
    folder = write(tmp_path / "shop", **{"deedbox.toml": project("shop", "provides")})
    assert "published" in run(folder, "publish", DEEDBOX_URL=registry)
    assert "unchanged" in run(folder, "publish", DEEDBOX_URL=registry)
    write(folder, **CHANGED)
    (result,) = json.loads(run(folder, "check", "--format", "json", code=1, DEEDBOX_URL=registry))["results"]
    breaking = {f["rule"]: (f["file"], f["line"]) for f in result["findings"] if f["level"] == "breaking"}
    assert breaking["property-removed"] == ("parts/order.yaml", 4)
    assert ("parts/deep/link.json", 4) in breaking.values()
    write(folder, **{"parts/order.yaml": ORDER.replace("type: integer", "type: 7")})
    (result,) = json.loads(run(folder, "check", "--format", "json", code=2, DEEDBOX_URL=registry))["results"]
    assert (result["error"]["file"], result["error"]["line"]) == ("parts/order.yaml", 8)


def test_a_client_is_linked_to_its_provider(tmp_path, registry):
    shop = write(tmp_path / "shop", **{"deedbox.toml": project("store", "provides")})
    web = write(tmp_path / "web", **{"deedbox.toml": project("web", "consumes", 'of = "store/api"\n')})
    run(shop, "publish", DEEDBOX_URL=registry)
    assert "published" in run(web, "publish", DEEDBOX_URL=registry)
    write(shop, **{"api.yaml": CHANGED["api.yaml"]})
    text = run(shop, "check", code=1, DEEDBOX_URL=registry)
    assert "web/api 1.0.0 cannot use store/api" in text


def test_asyncapi_goes_the_same_way(tmp_path, registry):
    payload = '{"type": "object",\n "properties": {"state": {"enum": ["paid", "sent"]}}}'
    toml = project("events", "provides")
    folder = write(tmp_path, **{"api.yaml": EVENTS, "payload.json": payload, "deedbox.toml": toml})
    run(folder, "publish", DEEDBOX_URL=registry)
    (folder / "payload.json").write_text(payload.replace('"sent"', '"sent", "lost"'))
    (result,) = json.loads(run(folder, "check", "--format", "json", code=1, DEEDBOX_URL=registry))["results"]
    assert result["verdict"] == "breaking"
    assert {(f["file"], f["line"]) for f in result["findings"] if f["level"] == "breaking"} == {("payload.json", 2)}
