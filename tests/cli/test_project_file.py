"""The project file: what it may say, how faults are told, and which setting wins."""

import getpass

import pytest
from deedbox.cli import accepted, project, starting
from deedbox.cli.errors import ProjectError, SourceUnreadable, UsageError

WHOLE = """\
[deedbox]
registry = "http://registry.example:8080"
service = "billing"

[[contract]]
name = "order-placed"
file = "contracts/order-placed.schema.json"
kind = "event"
role = "consumes"
of = "orders/order-placed"
channels = ["shop.orders"]
groups = [
  "billing-worker",
]
version = "1.3.0"
content-model = "open"
package = "billing-order-placed"

[[contract]]
name = "invoices"
file = "invoices.json"
kind = "api"
role = "provides"
"""


def read(tmp_path, text, name="deedbox.toml"):
    return project.read(text.encode(), tmp_path / name)


def test_a_whole_file(tmp_path):
    found = read(tmp_path, WHOLE)
    assert (found.service, found.registry) == ("billing", "http://registry.example:8080")
    first, second = found.contracts
    assert first.full_name == "billing/order-placed"
    assert first.path == tmp_path / "contracts/order-placed.schema.json"
    assert (first.role, first.kind, first.of, first.version) == ("consumes", "event", "orders/order-placed", "1.3.0")
    assert (first.channels, first.groups, first.content_model) == (("shop.orders",), ("billing-worker",), "open")
    assert (first.line, first.version_line) == (5, 15)
    assert (second.kind, second.role, second.content_model, second.version) == ("api", "provides", "tolerant", None)


def test_the_same_in_pyproject(tmp_path):
    text = '[project]\nname = "x"\n' + WHOLE.replace("[deedbox]", "[tool.deedbox]").replace(
        "[[contract]]", "[[tool.deedbox.contract]]"
    )
    assert read(tmp_path, text, "pyproject.toml").contracts == read(tmp_path, WHOLE).contracts


FAULTS = {
    "syntax": ("[deedbox\n", 1, "not TOML"),
    "syntax further down": ('[deedbox]\nservice = "a"\nregistry =\n', 3, "not TOML"),
    "unknown table": ('[deedbocks]\nservice = "a"\n', 1, "Did you mean 'deedbox'?"),
    "unknown setting": ('[deedbox]\nserivce = "a"\n', 2, "Did you mean 'service'?"),
    "unknown key": (WHOLE.replace("channels", "chanels"), 11, "Did you mean 'channels'?"),
    "unknown role": (WHOLE.replace('"consumes"', '"consume"'), 9, "Did you mean 'consumes'?"),
    "role of a message on an api": (WHOLE.replace('"provides"', '"produces"'), 23, "none of provides, consumes"),
    "unknown kind": (WHOLE.replace('"event"', '"evnt"'), 8, "Did you mean 'event'?"),
    "unknown content model": (WHOLE.replace('"open"', '"strict"'), 16, "none of tolerant, open, closed"),
    "version": (WHOLE.replace("1.3.0", "1.3"), 15, "no semantic version"),
    "name with a slash": (WHOLE.replace('"order-placed"', '"order/placed"'), 6, "not allowed"),
    "name with a space": (WHOLE.replace('"order-placed"', '"order placed"'), 6, "not allowed"),
    "service with a space": (WHOLE.replace('"billing"', '"bill ing"'), 3, "not allowed"),
    "of without a service": (WHOLE.replace("orders/order-placed", "order-placed"), 10, "service/name"),
    "channels no list": (WHOLE.replace('["shop.orders"]', '"shop.orders"'), 11, "list of texts"),
    "a number for a text": (WHOLE.replace('"1.3.0"', "1.3"), 15, "must be a text"),
    "no file": ('[deedbox]\nservice = "a"\n[[contract]]\nname = "b"\nrole = "consumes"\n', 3, "needs a file"),
    "no role": ('[deedbox]\nservice = "a"\n[[contract]]\nname = "b"\nfile = "b.json"\n', 3, "produces or consumes"),
    "no service": ('[deedbox]\n[[contract]]\nname = "b"\nfile = "c"\nrole = "consumes"\n', 1, "need a service"),
    "twice": (WHOLE + WHOLE[WHOLE.index("[[contract]]") : WHOLE.rindex("[[")], 25, "a second contract"),
    "a table where an array is due": ('[deedbox]\nservice = "a"\n[contract]\nname = "b"\n', 3, "write [[contract]]"),
    "registry without a scheme": ('[deedbox]\nregistry = "localhost:8080"\n', 2, "no http://"),
}


IN_PYPROJECT = [fault for fault in FAULTS if "syntax" not in fault and fault != "unknown table"]


@pytest.mark.parametrize(
    ("fault", "name"),
    [(fault, "deedbox.toml") for fault in FAULTS] + [(fault, "pyproject.toml") for fault in IN_PYPROJECT],
)
def test_a_fault_is_told_with_its_line(tmp_path, fault, name):
    text, line, message = FAULTS[fault]
    if name == "pyproject.toml":
        text = text.replace("[[contract]]", "[[tool.deedbox.contract]]").replace(
            "[contract]", "[tool.deedbox.contract]"
        )
        text = text.replace("[deedbox]", "[tool.deedbox]")
    with pytest.raises(ProjectError) as caught:
        read(tmp_path, text, name)
    assert caught.value.line == line
    assert message in str(caught.value)
    assert f"{name}:{line}: " in str(caught.value)


def test_bytes_that_are_no_utf8_have_their_line(tmp_path):
    with pytest.raises(ProjectError, match=r"deedbox\.toml:2: not UTF-8"):
        project.read(b'[deedbox]\nservice = "\xff"\n', tmp_path / "deedbox.toml")


def test_it_is_found_in_a_folder_above_but_not_beyond_the_repository(tmp_path, monkeypatch):
    (tmp_path / "deedbox.toml").write_text(WHOLE)
    inner = tmp_path / "repo" / "src"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    monkeypatch.delenv("DEEDBOX_CONFIG", raising=False)
    assert project.load().file == tmp_path / "deedbox.toml"
    (tmp_path / "repo" / ".git").mkdir()
    assert project.load() is None
    (tmp_path / "repo" / "pyproject.toml").write_text('[tool.deedbox]\nservice = "x"\n')
    assert project.load().service == "x"
    with pytest.raises(SourceUnreadable, match=r"gone\.toml"):
        project.load("gone.toml")


def test_a_pyproject_of_others_is_passed_by(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEEDBOX_CONFIG", raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    with pytest.raises(UsageError, match="deedbox init"):
        project.require()


def test_flag_then_environment_then_file_then_default(tmp_path, monkeypatch):
    found = read(tmp_path, WHOLE)
    monkeypatch.setenv("DEEDBOX_URL", "http://env.example")
    assert project.registry_url("http://flag.example", found) == "http://flag.example"
    assert project.registry_url(None, found) == "http://env.example"
    monkeypatch.delenv("DEEDBOX_URL")
    assert project.registry_url(None, found) == "http://registry.example:8080"
    assert project.registry_url(None, None) == project.DEFAULT_REGISTRY


def test_the_actor_is_the_variable_then_the_user_then_anonymous(monkeypatch):
    monkeypatch.setenv("DEEDBOX_ACTOR", "ci/42")
    assert project.actor() == "ci/42"
    monkeypatch.delenv("DEEDBOX_ACTOR")
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert project.actor() == "ada"

    def nobody():
        raise KeyError("uid")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert project.actor() == "anonymous"


ACCEPTED = """\
# ours
[[accepted]]
fingerprint = "3f9a1c02b7de"
rule = "enum-value-removed"
reason = "nobody sent it"
by = "ada"
until = 2031-01-31

[[accepted]]
fingerprint = "aaaaaaaaaaaa"
rule = "type-narrowed"
reason = "planned"
by = "bob"
"""


def test_acceptances_are_read_and_added_and_the_rest_stays(tmp_path):
    from deedbox.checker.policy import Acceptance

    file = tmp_path / accepted.FILE
    assert accepted.read(tmp_path) == []
    file.write_text(ACCEPTED)
    first, second = accepted.read(tmp_path)
    assert (first.fingerprint, first.until.isoformat()) == ("3f9a1c02b7de", "2031-01-31")
    assert second.until is None
    accepted.add(tmp_path, Acceptance("bbbbbbbbbbbb", "r", 'because "it" is', "eve"))
    assert file.read_text().startswith(ACCEPTED.rstrip())
    assert [a.fingerprint for a in accepted.read(tmp_path)] == ["3f9a1c02b7de", "aaaaaaaaaaaa", "bbbbbbbbbbbb"]
    accepted.add(tmp_path, Acceptance("aaaaaaaaaaaa", "type-narrowed", "again", "bob"))
    assert [a.reason for a in accepted.read(tmp_path)] == ["nobody sent it", "again", 'because "it" is']


def test_the_first_acceptance_makes_the_file(tmp_path):
    from deedbox.checker.policy import Acceptance

    one = Acceptance("bbbbbbbbbbbb", "r", "why", "eve")
    path = accepted.add(tmp_path, one)
    assert path.read_text().startswith("# ")
    assert accepted.read(tmp_path) == [one]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[[accepted]\n", 1, "not TOML"),
        ('[[accepted]]\nfingerprint = "a"\nrule = "b"\nby = "c"\n', 1, "needs a reason"),
        (ACCEPTED.replace("until = 2031-01-31", 'until = "soon"'), 2, "must be a day"),
        (ACCEPTED.replace('reason = "planned"', 'raeson = "planned"'), 9, "Did you mean 'reason'?"),
        ("[deedbox]\n", None, "unknown key 'deedbox'"),
    ],
)
def test_a_fault_in_the_acceptances_is_told(tmp_path, text, line, message):
    (tmp_path / accepted.FILE).write_text(text)
    with pytest.raises(ProjectError) as caught:
        accepted.read(tmp_path)
    assert caught.value.line == line
    assert message in str(caught.value)


def test_init_finds_schemas_and_writes_a_file_that_can_be_read(tmp_path):
    folder = tmp_path / "my service"
    (folder / "contracts").mkdir(parents=True)
    (folder / "node_modules").mkdir()
    schema = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}'
    (folder / "contracts" / "order placed.schema.json").write_text(schema)
    (folder / "contracts" / "order-placed.json").write_text('{"type": "object", "properties": {"a": {}}}')
    (folder / "contracts" / "b.yaml").write_text("type: object\nproperties:\n  a: {type: string}\n")
    (folder / "node_modules" / "c.json").write_text(schema)
    (folder / "package.json").write_text('{"name": "x", "type": "module"}')
    (folder / "broken.json").write_text("{")
    (folder / "odd.json").write_text('{"$schema": "https://example.org/own", "type": "object"}')
    path, count, parts = starting.write_project(folder, None)
    assert parts == []
    assert count == 3
    found = project.read(path.read_bytes(), path)
    assert found.service == "my-service"
    assert [(c.name, c.file) for c in found.contracts] == [
        ("b", "contracts/b.yaml"),
        ("order-placed", "contracts/order placed.schema.json"),
        ("order-placed-2", "contracts/order-placed.json"),
    ]
    with pytest.raises(UsageError, match="is there already"):
        starting.write_project(folder, None)


def test_init_finds_apis_and_leaves_out_what_is_a_part_of_another(tmp_path):
    (tmp_path / "parts").mkdir()
    info = "info: {title: x, version: '1'}\n"
    (tmp_path / "openapi.yaml").write_text(
        f"openapi: 3.1.0\n{info}paths:\n  /a: {{get: {{responses: {{200: {{$ref: 'parts/answers.yaml#/Ok'}}}}}}}}\n"
    )
    (tmp_path / "parts" / "answers.yaml").write_text(
        "Ok: {description: ok, content: {application/json: {schema: {$ref: order.json}}}}\n"
    )
    (tmp_path / "parts" / "order.json").write_text('{"type": "object", "properties": {"line": {"$ref": "line.json"}}}')
    (tmp_path / "parts" / "line.json").write_text('{"type": "object", "properties": {"of": {"$ref": "order.json"}}}')
    (tmp_path / "events.asyncapi.json").write_text('{"asyncapi": "3.0.0", "info": {"title": "x", "version": "1"}}')
    (tmp_path / "old.yml").write_text(f"swagger: '2.0'\n{info}paths: {{}}\n")
    (tmp_path / "order.schema.json").write_text('{"type": "object", "properties": {"to": {"$ref": "address.json"}}}')
    (tmp_path / "address.json").write_text('{"type": "object", "properties": {"street": {"type": "string"}}}')
    path, count, parts = starting.write_project(tmp_path, "shop")
    found = project.read(path.read_bytes(), path).contracts
    assert count == len(found) == 4
    assert parts == ["address.json", "parts/line.json", "parts/order.json"]
    assert [(c.name, c.format, c.kind, c.role) for c in found] == [
        ("events", "asyncapi", "api", "provides"),
        ("old", "openapi", "api", "provides"),
        ("api", "openapi", "api", "provides"),
        ("order", None, "event", "consumes"),
    ]


def test_init_without_schemas_writes_a_file_that_can_be_read(tmp_path):
    path, count, parts = starting.write_project(tmp_path, "shop")
    assert (count, parts) == (0, [])
    assert project.read(path.read_bytes(), path).contracts == ()
