"""`deedbox changelog`: what changed, told to people who know none of our rules."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from deedbox.checker import compare, load_document
from deedbox.checker.rules import catalogue
from deedbox.cli import changelog as telling
from deedbox.client.values import Difference
from deedbox.registry.serving import run_in_background
from markdown_it import MarkdownIt

NASTY = "<img src=x onerror=alert(1)>|`*_[a](javascript:b)\n# no heading\x1b[31m"


def run(folder, *arguments, code=0, **env):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DEEDBOX_")}
    done = subprocess.run(
        [sys.executable, "-m", "deedbox.cli.main", *map(str, arguments)],
        cwd=folder, env=clean | env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr


def api(version, name="Order", **more):
    thing = {"type": "object", "properties": {"id": {"type": "string"}, "total": {"type": "integer"}}}
    answer = {
        "200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}
    }
    paths = {path: {"get": {"responses": answer}} for path in ("/orders", "/refunds", "/returns")}
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": version},
        "paths": paths | {"/old": {"get": {"responses": answer}}},
        "components": {"schemas": {"T": thing}},
    } | more


def changed(name="Order"):
    document = json.loads(json.dumps(api("2.0.0", name)))
    del document["components"]["schemas"]["T"]["properties"]["total"]
    document["components"]["schemas"]["T"]["properties"]["note"] = {"type": "string"}
    del document["paths"]["/old"]
    document["paths"]["/orders"]["get"]["deprecated"] = True
    document["paths"]["/new"] = {"get": {"responses": {"204": {"description": "none"}}}}
    return document


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "old.json").write_text(json.dumps(api("1.0.0")))
    (tmp_path / "new.json").write_text(json.dumps(changed()))
    return tmp_path


def sections(markdown):
    """Heading → its lines."""
    parts = re.split(r"^## (.*)$", markdown, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_changes_are_grouped_and_a_shared_one_is_told_once(folder):
    text = run(folder, "changelog", "old.json", "new.json")
    assert text.startswith("# Order 1.0.0 → 2.0.0\n".replace(".", "."))
    found = sections(text)
    assert list(found) == ["Breaking changes", "Deprecated", "Added"]
    assert "### GET /old" in found["Breaking changes"]
    assert found["Breaking changes"].count('"total" is gone') == 1
    assert all(f"  - GET {path}" in found["Breaking changes"] for path in ("/orders", "/refunds", "/returns"))
    assert "### GET /orders" in found["Deprecated"]
    assert "### GET /new" in found["Added"]
    assert '"note"' in found["Added"]
    words = set(re.findall(r"[a-z]+(?:-[a-z]+)+", text))
    assert not words & set(catalogue())
    assert "/properties/" not in text
    sentences = [line[2:] for line in text.splitlines() if line.startswith("- ")]
    assert sentences
    assert all(sentence.endswith(".") and sentence[:1] == sentence[:1].upper() for sentence in sentences)


def test_fields_of_a_message_are_named_as_people_write_them(tmp_path):
    def order(kind, **more):
        line = {"type": "object", "properties": {"sku": {"type": kind}, **more}}
        return {"type": "object", "properties": {"lines": {"type": "array", "items": line}}}

    (tmp_path / "a.json").write_text(json.dumps(order("string")))
    (tmp_path / "b.json").write_text(json.dumps(order("integer", size={"type": "string"})))
    text = run(tmp_path, "changelog", "a.json", "b.json")
    assert "### lines\\[\\].sku" in sections(text)["Breaking changes"]
    assert "size" in sections(text)["Added"]
    assert "Nothing changed" in run(tmp_path, "changelog", "a.json", "a.json")


def test_a_removal_names_its_own_proof_and_no_other():
    text = {"type": "string", "deprecated": True}
    line = {"type": "object", "properties": {"sku": text}}
    marked = {
        "type": "object",
        "properties": {
            "a.b": text,
            "a": {"type": "object", "properties": {"b": text}},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        },
        "$defs": {"line": line},
    }
    left = {
        "type": "object",
        "properties": {"a": {"type": "object"}, "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}}},
        "$defs": {"line": {"type": "object"}},
    }
    difference = Difference.of(compare(marked, left), "consumes")
    drains = [
        {"pointer": "/a/b", "state": "gone", "as_of": 1_795_000_000_000, "digest": "0123456789abcdef"},
        {"pointer": "/lines/*/sku", "state": "consumed", "as_of": 1_795_000_000_000, "digest": "fedcba9876543210"},
    ]
    log = telling.changelog(difference, load_document(marked), load_document(left), "T", drains)
    told = {e.sentence for entries in log.groups["breaking"].values() for e in entries}
    assert told == {
        'The obsolete property "a.b" is gone.',
        'The obsolete property "b" is gone: drained (gone) as of 2026-11-18, evidence 0123456789ab.',
        'The obsolete property "sku" is gone: drained (consumed) as of 2026-11-18, evidence fedcba987654.',
    }
    # Without proofs nothing is said of any, and a page shows what the Markdown does.
    plain = telling.changelog(difference, load_document(marked), load_document(left), "T")
    assert "drained" not in telling.as_markdown(plain)
    assert telling.as_html(log).count("drained (") == telling.as_markdown(log).count("drained \\(") == 2


def test_proofs_are_those_of_every_version_on_the_way():
    published = [{"version": v, "drains": [{"pointer": f"/{v}"}]} for v in ("10.0.0", "3.0.0", "2.0.0", "1.0.0")]
    published.append({"version": "2.1.0", "drains": []})
    asked = [r["pointer"] for r in telling.drains_between(published, "1.0.0", "3.0.0")]
    assert asked == ["/2.0.0", "/3.0.0"]


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_other_peoples_words_are_words_only(tmp_path):
    (tmp_path / "old.json").write_text(json.dumps(api("1", NASTY)))
    new = changed(NASTY)
    new["components"]["schemas"]["T"]["properties"][NASTY] = {"type": "string", "description": NASTY}
    new["paths"][f"/{NASTY}"] = {"get": {"responses": {"204": {"description": NASTY}}}}
    (tmp_path / "new.json").write_text(json.dumps(new))
    page = Page()
    page.feed(run(tmp_path, "changelog", "old.json", "new.json", "--format", "html"))
    assert {tag for tag, _ in page.tags} <= {
        "html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "h3", "p", "ul", "li",
    }  # fmt: skip
    assert not [
        name for _, attributes in page.tags for name in attributes if name.startswith("on") or name in ("src", "href")
    ]
    assert page.text.count("<img src=x onerror=alert(1)>") >= 3
    assert "\x1b" not in page.text
    rendered = MarkdownIt("commonmark").render(run(tmp_path, "changelog", "old.json", "new.json"))
    assert "<img" not in rendered
    assert "<a " not in rendered
    assert "<h1>no heading" not in rendered


def test_versions_of_the_registry_and_a_file_to_write(tmp_path):
    (tmp_path / "api.json").write_text(json.dumps(api("1.0.0")))
    toml = '[deedbox]\nservice = "shop"\n[[contract]]\nname = "api"\nfile = "api.json"\nrole = "provides"\n'
    (tmp_path / "deedbox.toml").write_text(toml)
    with run_in_background(f"sqlite:///{tmp_path}/d.db") as server:
        env = {"DEEDBOX_URL": server.url}
        run(tmp_path, "publish", **env)
        (tmp_path / "api.json").write_text(
            json.dumps(api("1.1.0") | {"paths": api("1")["paths"] | {"/new": changed()["paths"]["/new"]}})
        )
        run(tmp_path, "publish", **env)
        run(
            tmp_path, "changelog", "1.0.0", "1.1.0", "--contract", "shop/api", "-o", "c.html", "--format", "html", **env
        )
        text = (tmp_path / "c.html").read_text()
        assert "<h1>shop/api 1.0.0 → 1.1.0</h1>" in text
        assert "GET /new" in text
        assert "no shop/api 9.0.0" in run(
            tmp_path, "changelog", "1.0.0", "9.0.0", "--contract", "shop/api", code=2, **env
        )


@pytest.mark.parametrize(
    ("arguments", "says"), [(("old.json", "nothing.json"), "nothing.json"), (("old.json", "bad.json"), "bad.json:1")]
)
def test_what_cannot_be_read_is_told(folder, arguments, says):
    (folder / "bad.json").write_text("{")
    assert says in run(folder, "changelog", *arguments, code=2)
    assert "no/such" in run(folder, "changelog", "old.json", "new.json", "-o", "no/such/file", code=2)
