"""`publish`, `check`, `accept` and deployments against a real registry, a git repository and files: the whole way."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack

import pytest
from deedbox.registry.serving import free_port, run_in_background

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema(*statuses, **more):
    properties = {"id": {"type": "string"}, "status": {"enum": list(statuses)}} | more
    return {"$schema": DRAFT, "type": "object", "properties": properties, "required": ["id", "status"]}


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


class Service:
    """A service's folder with one contract, and the commands run in it."""

    def __init__(self, folder, name, role, url):
        self.folder, self.name, self.role, self.url = folder, name, role, url
        self.file = "order.schema.json"
        folder.mkdir(parents=True, exist_ok=True)

    def has(self, document, version=None, channel="shop.orders", file=None, name="order-placed"):
        self.file = file or self.file
        text = document if isinstance(document, str) else json.dumps(document, indent=2)
        (self.folder / self.file).write_text(text)
        lines = [
            f'[deedbox]\nservice = "{self.name}"\n\n[[contract]]\nname = "{name}"\nfile = "{self.file}"',
            f'kind = "event"\nrole = "{self.role}"\nchannels = ["{channel}"]',
        ]
        lines += [f'version = "{version}"'] if version else []
        (self.folder / "deedbox.toml").write_text("\n".join(lines) + "\n")
        return self

    def run(self, *arguments, code=0):
        env = {name: value for name, value in os.environ.items() if not name.startswith("DEEDBOX_")}
        env |= {"DEEDBOX_ACTOR": "ada"} | ({"DEEDBOX_URL": self.url} if self.url else {})
        command = [sys.executable, "-m", "deedbox.cli.main", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments, code=0):
        return json.loads(self.run(*arguments, "--format", "json", code=code).stdout)


@pytest.fixture
def shop(tmp_path, registry, request):
    """A producer and a consumer of one event, both published. Names are the test's own: the registry is shared."""
    suffix = f"{abs(hash(request.node.name)) % 10**8}"
    orders = Service(tmp_path / "orders", f"orders-{suffix}", "produces", registry)
    billing = Service(tmp_path / "billing", f"billing-{suffix}", "consumes", registry)
    channel = f"shop.{suffix}"
    orders.has(schema("paid", "sent"), "1.0.0", channel).run("publish")
    billing.has(schema("paid", "sent", "refunded"), "1.0.0", channel).run("publish")
    orders.channel = billing.channel = channel
    return orders, billing


def test_publishing_again_changes_nothing(shop):
    orders, _ = shop
    assert "unchanged" in orders.run("publish").stdout
    published = orders.json("publish")["published"]
    assert [(p["version"], p["created"]) for p in published] == [("1.0.0", False)]


def test_a_producers_break_names_the_consumer_with_the_message(shop):
    orders, billing = shop
    orders.has(schema("paid", "sent", "lost"), "1.1.0", orders.channel)
    (result,) = orders.json("check", code=1)["results"]
    assert (result["verdict"], result["needed"], result["allowed"]) == ("breaking", "2.0.0", False)
    assert {refusal["code"] for refusal in result["refusals"]} == {"version-too-low", "link-broken"}
    broken = [link for link in result["links"] if link["holds"] is False]
    assert [link["consumer"] for link in broken] == [f"{billing.name}/order-placed"]
    assert broken[0]["witness"]["value"]["status"] == "lost"
    assert result["findings"][0]["file"] == "order.schema.json"
    assert result["findings"][0]["line"] == 8
    text = orders.run("check", code=1).stdout
    assert "this needs 2.0.0, you said 1.1.0" in text
    assert f"{billing.name}/order-placed 1.0.0 cannot read all that" in text
    assert '"lost"' in text
    orders.run("publish", code=1)
    assert orders.json("check", "--against", "registry:1.0.0", code=1)["results"][0]["verdict"] == "breaking"


def test_a_consumers_break_names_the_producer(shop):
    orders, billing = shop
    billing.has(schema("paid"), "2.0.0", billing.channel)
    (result,) = billing.json("check", code=1)["results"]
    broken = [link for link in result["links"] if link["holds"] is False]
    assert [link["producer"] for link in broken] == [f"{orders.name}/order-placed"]
    assert broken[0]["witness"]["value"]["status"] == "sent"


def test_safe_changes_go_through(shop):
    orders, _ = shop
    orders.has(schema("paid", "sent", note={"type": "string"}), "1.1.0", orders.channel)
    (result,) = orders.json("check")["results"]
    assert (result["verdict"], result["bump"]) == ("additive", "minor")
    orders.run("publish")
    document = schema("paid", "sent", note={"$ref": "#/$defs/note"}) | {"$defs": {"note": {"type": "string"}}}
    orders.has(document, "1.1.1", orders.channel)
    assert orders.json("check")["results"][0]["verdict"] == "patch"
    orders.run("publish")
    assert orders.json("check", "--against", "registry:1.0.0")["results"][0]["verdict"] == "additive"


def test_a_version_that_is_taken_by_other_content_is_refused(shop):
    orders, _ = shop
    orders.has(schema("paid"), "1.0.0", orders.channel)
    orders.run("check", code=1)
    assert "Nothing was published" in orders.run("publish", code=1).stdout


def test_an_acceptance_says_that_it_covers_no_link(shop):
    orders, billing = shop
    orders.has(schema("paid", "sent", "lost"), None, orders.channel)
    (result,) = orders.json("check", code=1)["results"]
    (fingerprint,) = [f["fingerprint"] for f in result["findings"] if f["level"] == "breaking"]
    assert f"to accept: deedbox accept {fingerprint}" in orders.run("check", code=1).stdout
    told = orders.run("accept", fingerprint, "--reason", "billing passes over it", "--until", "2999-01-31").stdout
    assert "The gate goes on saying no" in told
    text = orders.run("check", code=1).stdout
    assert "breaking, version 1.1.0\n" in text  # no version would do: it is the link that stands in the way
    assert "accepted by ada until 2999-01-31: billing passes over it" in text
    assert "to accept" not in text
    assert "refused: a live link breaks, which no acceptance covers: let the other side change first" in text
    # The other side first, and it goes through.
    billing.has(schema("paid", "sent", "refunded", "lost"), None, billing.channel).run("publish")
    assert "breaking, version 1.1.0, allowed: accepted by name" in orders.run("check").stdout
    orders.run("publish")


def test_an_acceptance_that_is_over_is_said_to_be(shop):
    _, billing = shop
    billing.has(schema("paid", "sent"), "1.1.0", billing.channel)
    (result,) = billing.json("check", code=1)["results"]
    fingerprint = next(f["fingerprint"] for f in result["findings"] if f["level"] == "breaking")
    (billing.folder / "deedbox.accepted.toml").write_text(
        f'[[accepted]]\nfingerprint = "{fingerprint}"\nrule = "enum-value-removed"\nreason = "r"\nby = "ada"\n'
        "until = 2020-01-31\n"
    )
    text = billing.run("check", code=1).stdout
    assert "was accepted by ada until 2020-01-31: r" in text
    assert f"to accept: deedbox accept {fingerprint}" in text
    assert "no acceptance covers" not in text


def test_an_accepted_break_is_let_through_and_only_that_one(shop):
    _, billing = shop
    billing.has(schema("paid", "sent"), "1.1.0", billing.channel)
    (result,) = billing.json("check", code=1)["results"]
    fingerprints = [f["fingerprint"] for f in result["findings"] if f["level"] == "breaking"]
    billing.run("accept", "ffffffffffff", "--reason", "no", code=2)
    assert not (billing.folder / "deedbox.accepted.toml").exists()
    for fingerprint in fingerprints:
        billing.run("accept", fingerprint[:8], "--reason", "nobody refunds", "--until", "2999-01-31")
    (result,) = billing.json("check")["results"]
    assert (result["verdict"], result["allowed_by"]) == ("breaking", "accepted")
    billing.run("publish")
    billing.has(schema("paid"), "1.2.0", billing.channel)
    billing.run("check", code=1)


def test_the_servers_document_errors_are_shown_at_the_users_file(shop):
    orders, _ = shop
    orders.has('{"type": "object",\n "properties": {"a": {"$ref": "https://example.org/a.json"}}}', "1.1.0")
    (result,) = orders.json("check", code=2)["results"]
    assert result["error"]["code"] == "unresolved-reference"
    assert (result["file"], result["error"]["line"]) == ("order.schema.json", 2)
    orders.run("publish", code=2)


def test_one_contract_in_error_and_one_refused_is_2(shop):
    orders, _ = shop
    orders.has(schema("paid", "sent", "lost"), "1.1.0", orders.channel)
    (orders.folder / "broken.json").write_text("{")
    with (orders.folder / "deedbox.toml").open("a") as file:
        file.write('\n[[contract]]\nname = "broken"\nfile = "broken.json"\nrole = "produces"\n')
    found = orders.json("check", code=2)
    assert [result.get("verdict") for result in found["results"]] == ["breaking", None]
    orders.run("check", "order.schema.json", code=1)
    orders.run("publish", "order.schema.json", code=1)


def test_all_formats_at_once(shop):
    orders, _ = shop
    orders.has(schema("paid", "sent", "lost"), "1.1.0", orders.channel)
    formats = {"json": "j", "markdown": "m", "gitlab": "g", "sarif": "s", "junit": "u"}
    arguments = [part for name, file in formats.items() for part in ("--format", f"{name}={file}")]
    done = orders.run("check", *arguments, "--format", "github", code=1)
    assert "::error file=order.schema.json,line=8" in done.stdout
    for file in formats.values():
        assert "lost" in (orders.folder / file).read_text()


def test_an_away_registry_is_3_and_a_wrong_address_2(tmp_path):
    service = Service(tmp_path / "s", "s", "produces", None).has(schema("paid"))
    nobody = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    found = service.json("check", "--registry", nobody, code=3)
    assert found["allowed"] is None
    assert found["results"][0]["error"]["code"] == "registry-unavailable"
    assert "did not answer" in service.run("publish", "--registry", nobody, code=3).stdout
    service.run("check", "--registry", "nowhere", code=2)
    service.run("check", "--registry", "file:///x", code=2)


def git(folder, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    service = Service(tmp_path / "repo" / "billing", "billing", "consumes", None)
    git(tmp_path / "repo", "init", "-q", "-b", "main")
    service.has(schema("paid", "sent"), "1.0.0")
    git(service.folder, "add", "-A")
    git(service.folder, "commit", "-q", "-m", "one")
    return service


@pytest.mark.parametrize(
    ("statuses", "version", "code", "verdict"),
    [
        (("paid", "sent"), "1.0.0", 0, "identical"),
        (("paid", "sent", "lost"), "1.1.0", 0, "additive"),
        (("paid", "sent", "lost"), "1.0.1", 1, "additive"),
        (("paid",), "1.1.0", 1, "breaking"),
        (("paid",), "1.0.0", 1, "breaking"),
        (("paid",), "0.9.0", 1, "breaking"),
        (("paid",), "2.0.0", 0, "breaking"),
        (("paid",), None, 1, "breaking"),
        (("paid", "sent", "lost"), None, 0, "additive"),
    ],
)
def test_against_git_the_declared_version_must_fit_the_change(repository, statuses, version, code, verdict):
    repository.has(schema(*statuses), version)
    found = repository.json("check", "--against", "git:HEAD", code=code)
    assert found["results"][0]["verdict"] == verdict
    assert found["results"][0]["against"] == "git:HEAD"


def test_against_git_a_file_that_moved_is_still_found(repository):
    (repository.folder / "order.schema.json").unlink()
    repository.has(schema("paid"), "1.1.0", file="moved.json")
    assert repository.json("check", "--against", "git:HEAD", code=1)["results"][0]["verdict"] == "breaking"


def test_against_git_a_new_contract_is_new_and_a_wrong_one_is_not_green(repository):
    repository.has(schema("paid"), file="other.json", name="other")
    assert repository.json("check", "--against", "git:main")["results"][0]["verdict"] == "new"
    repository.has('{"type": "objekt"}', file="other.json", name="other")
    repository.run("check", "--against", "git:main", code=2)


@pytest.mark.parametrize("against", ["git:no-such-branch", "git:--help", "git:", "nowhere", "registry:soon"])
def test_against_nothing_is_wrong_usage(repository, against):
    repository.run("check", "--against", against, code=2)


def test_a_repository_without_a_commit_is_told_from_a_shallow_one(tmp_path):
    service = Service(tmp_path / "new", "billing", "consumes", None).has(schema("paid"))
    git(service.folder, "init", "-q")
    assert "no commit yet" in service.run("check", "--against", "git:HEAD", code=2).stderr


def test_against_a_file_and_a_folder(repository, tmp_path):
    repository.has(schema("paid"))
    old = tmp_path / "old"
    old.mkdir()
    (old / "order.schema.json").write_text(json.dumps(schema("paid", "sent")))
    for against in (old, old / "order.schema.json"):
        (result,) = repository.json("check", "--against", against, code=1)["results"]
        assert (result["verdict"], result["refusals"][0]["code"]) == ("breaking", "breaking-change")
    (old / "order.schema.json").write_text(json.dumps(schema("paid")))
    repository.run("check", "--against", old)


def test_a_file_without_a_project_is_judged_as_a_consumers(tmp_path):
    service = Service(tmp_path, "x", "consumes", None)
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.json").write_text(json.dumps(schema("paid", "sent")))
    (tmp_path / "b.json").write_text(json.dumps(schema("paid")))
    service.run("check", "b.json", "--against", "a.json", code=1)
    service.run("check", "a.json", "--against", "b.json")
    service.run("check", "c.json", "--against", "b.json", code=2)
    service.run("check", "--against", "b.json", code=2)
    service.run("publish", code=2)


def test_deployments(shop):
    orders, billing = shop
    with ExitStack() as stack:
        for service in (orders, billing):
            stack.callback(service.has, schema("paid"), "1.0.0", service.channel)
            service.run("record-deployment", "--environment", "prod", "--service-version", "7")
        found = orders.json("can-i-deploy", "--environment", "prod")
        assert found["allowed"] is True
        assert [link["consumer"] for link in found["links"]] == [f"{billing.name}/order-placed"]
    orders.run("can-i-deploy", "--environment", "prod", code=2)
