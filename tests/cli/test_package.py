"""`deedbox package`: wheels from a registry and from files, and onto indexes of other people."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.cli.main import main
from deedbox.registry.serving import free_port, run_in_background

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "note": {"type": "string", "description": "Use remarks."}},
}
NAMES = ["shop_order_placed-1.1.0-1-py3-none-any.whl", "shop_order_placed_v1-1.1.0-1-py3-none-any.whl"]


def marked() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(ORDER))
    document["properties"]["note"]["deprecated"] = True
    return document


def write(folder: Path, document: Any, version: str | None = "1.0.0", **keys: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / "order.json").write_text(text)
    keys = {"name": "order-placed", "file": "order.json", "role": "consumes", "package": "shop-order-placed"} | keys
    lines = ['[deedbox]\nservice = "shop"\n\n[[contract]]']
    lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value]
    lines += [f'version = "{version}"'] if version else []
    (folder / "deedbox.toml").write_text("\n".join(lines) + "\n")
    return folder


def run(folder: Path, *arguments: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("DEEDBOX_", "TWINE_", "PYTHON"))}
    # No keyring and no ~/.pypirc of whoever runs this.
    environment = kept | {"HOME": str(folder), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"} | variables
    command = [sys.executable, "-m", "deedbox.cli.main", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def fails(folder: Path, *arguments: str) -> str:
    """What a command that exits with 2 says; in this process, which is quicker."""
    said = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stderr(said):
        assert main(["package", "--local", *arguments]) == 2
    return said.getvalue()


def sums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


@pytest.fixture(scope="module")
def published(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose contract is published as 1.0.0 and, with an obsolete field, as 1.1.0."""
    folder = write(tmp_path_factory.mktemp("shop"), ORDER)
    run(folder, "publish", DEEDBOX_URL=registry)
    write(folder, marked(), "1.1.0")
    run(folder, "publish", DEEDBOX_URL=registry)
    return folder


def test_a_published_version_is_built_with_what_the_registry_knows(
    published: Path, registry: str, tmp_path: Path
) -> None:
    done = run(published, "package", "--out", str(tmp_path / "first"), DEEDBOX_URL=registry)
    assert sorted(sums(tmp_path / "first")) == NAMES
    assert "note is obsolete since 1.1.0: Use remarks." in done.stdout
    # The same again from a folder without a project file, by its full name.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(elsewhere, "package", "shop/order-placed", "--registry", registry, "--version", "1.1.0", "--out", "second")
    assert sums(elsewhere / "second") == sums(tmp_path / "first")
    run(published, "package", "--version", "1.0.0", "--out", str(tmp_path / "old"), DEEDBOX_URL=registry)
    assert "shop_order_placed-1.0.0-1-py3-none-any.whl" in sums(tmp_path / "old")


def test_the_mark_is_as_old_as_the_first_version_that_has_it(published: Path, registry: str, tmp_path: Path) -> None:
    later = marked()
    later["properties"]["more"] = {"type": "string"}
    folder = write(tmp_path / "later", later, "1.2.0")
    run(folder, "publish", DEEDBOX_URL=registry)
    done = run(folder, "package", "order-placed", DEEDBOX_URL=registry)
    assert "note is obsolete since 1.1.0" in done.stdout
    assert "shop_order_placed-1.2.0-1-py3-none-any.whl" in sums(folder / "dist")


def test_the_registry_builds_it_and_has_it_on_its_index(published: Path, registry: str, tmp_path: Path) -> None:
    """The same bytes as here: what is released is what was tried."""
    write(published, marked(), "1.1.0")
    done = run(published, "package", "--publish", "--version", "1.1.0", DEEDBOX_URL=registry)
    assert [f"on the index: {name}" for name in sorted(NAMES, reverse=True)] == sorted(
        done.stdout.splitlines(), reverse=True
    )
    assert not (published / "dist").exists()
    again = ["package", "--publish", "--version", "1.1.0", "--out", str(tmp_path / "released")]
    run(published, *again, DEEDBOX_URL=registry)
    run(published, "package", "--version", "1.1.0", "--out", str(tmp_path / "built"), DEEDBOX_URL=registry)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    pip += ["--index-url", f"{registry}/simple/", "--dest", str(tmp_path / "got")]
    subprocess.run([*pip, "shop-order-placed==1.1.0", "shop-order-placed-v1==1.1.0"], check=True, timeout=120)
    assert sums(tmp_path / "released") == sums(tmp_path / "built") == sums(tmp_path / "got")


def test_the_project_file_says_what_the_classes_are(registry: str, tmp_path: Path) -> None:
    """Wherever the package is made: here, on request, or by publishing."""
    document = {"type": "object", "properties": {"status": {"enum": ["new", "paid"]}}}
    keys: dict[str, Any] = {
        "name": "styled",
        "package": "shop-styled",
        "package-style": "dataclass",
        "package-open-enums": True,
    }
    folder = write(tmp_path, document, "1.0.0", **keys)
    run(folder, "publish", DEEDBOX_URL=registry)
    run(folder, "package", "--publish", "--out", "released", DEEDBOX_URL=registry)
    run(folder, "package", "--out", "built", DEEDBOX_URL=registry)
    assert sums(folder / "released") == sums(folder / "built")
    (name,) = (name for name in sums(folder / "built") if name.startswith("shop_styled_v1-"))
    assert name == "shop_styled_v1-1.0.0-1-py3-none-any.whl", "asking again built nothing anew"
    with zipfile.ZipFile(folder / "built" / name) as wheel:
        code = wheel.read("shop_styled/v1/models.py").decode()
    assert "@dataclass" in code
    assert "class Status(OpenEnum)" in code
    run(folder, "package", "--local", "--style", "typeddict", "--closed-enums", "--out", "other")
    with zipfile.ZipFile(folder / "other" / name) as wheel:
        assert "Literal['new', 'paid']" in wheel.read("shop_styled/v1/models.py").decode()
    write(tmp_path, document, "1.0.0", **(keys | {"package-style": "attrs"}))
    assert "deedbox.toml:" in (said := fails(folder))
    assert "package-style 'attrs' is none of pydantic, dataclass, typeddict" in said
    write(tmp_path, document, "1.0.0", **(keys | {"package-open-enums": "yes"}))
    assert "package-open-enums must be true or false" in fails(folder)


def test_what_the_registry_does_not_release(published: Path, registry: str, tmp_path: Path) -> None:
    for option in (["--local"], ["--prefix", "acme"]):
        assert "leave out --local" in run(published, "package", "--publish", *option, code=2).stderr
    none = run(published, "package", "--publish", "--version", "7.0.0", DEEDBOX_URL=registry, code=2)
    assert "has no version 7.0.0" in none.stderr
    folder = write(tmp_path, json.dumps(False), "1.0.0", name="nothing", package="")
    run(folder, "publish", DEEDBOX_URL=registry)
    failed = run(folder, "package", "nothing", "--publish", DEEDBOX_URL=registry, code=2)
    assert "shop/nothing 1.0.0 was not released" in failed.stderr
    assert "no message can satisfy" in failed.stderr


def test_a_file_is_built_without_a_registry(tmp_path: Path) -> None:
    folder = write(tmp_path, marked(), "1.1.0")
    done = run(folder, "package", "--local", "--style", "typeddict", DEEDBOX_URL="http://127.0.0.1:1")
    assert sorted(sums(folder / "dist")) == NAMES
    assert "valid messages come out as they went in" in done.stdout
    with zipfile.ZipFile(folder / "dist" / NAMES[1]) as wheel:
        assert b"class OrderPlaced(TypedDict)" in wheel.read("shop_order_placed/v1/models.py")
    before = sums(folder / "dist")
    run(folder, "package", "--local", "--style", "typeddict")
    assert sums(folder / "dist") == before
    prefixed = run(folder, "package", "--local", code=2, DEEDBOX_PACKAGE_PREFIX="acme")
    assert "call it 'acme-shop-order-placed'" in prefixed.stderr
    run(folder, "package", "--local", "--version", "2.0.0-rc.1", "--out", "next")
    assert "shop_order_placed-2.0.0rc1-1-py3-none-any.whl" in sums(folder / "next")


@pytest.mark.parametrize(
    ("arguments", "keys", "said"),
    [
        (["order-plaed"], {}, "Did you mean"),
        (["a/b/c"], {}, "names no contract"),
        (["🚀"], {}, "names no contract"),
        ([], {"package": ""}, 'none with package = "…"'),
        ([], {"package": "class"}, "no keyword"),
        ([], {"package": "json"}, "the name of something that Python"),
        ([], {"package": "-"}, "no package name"),
        ([], {"package": "shop-contracts"}, "the contracts of a service together"),
        (["--prefix", "acme"], {}, "acme-shop-order-placed"),
        (["--version", "1.0.0-snapshot"], {}, "no PEP 440 form"),
        (["--version", "one"], {}, "semantic version"),
        (["other/thing"], {}, "does not name other/thing"),
        ([], {"file": "nothing.json"}, "nothing.json"),
        (["--publish-to", "ftp://127.0.0.1/"], {}, "no http:// or https:// address"),
        (["--publish-to", "http://ada:secret@127.0.0.1/"], {}, "TWINE_USERNAME"),
        (["--out", "order.json"], {}, "order.json"),
    ],
)
def test_what_cannot_be_built_is_wrong_and_leaves_nothing(
    tmp_path: Path, arguments: list[str], keys: dict[str, str], said: str
) -> None:
    folder = write(tmp_path, ORDER, **keys)
    printed = fails(folder, *arguments)
    assert said in printed
    assert "secret" not in printed
    assert not (folder / "dist").exists()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (False, "no message can satisfy"),
        ("{", "not JSON"),
        ({"type": "sting"}, "sting"),
        ({"$ref": "https://example.org/x.json"}, "example.org"),
    ],
)
def test_documents_that_give_no_package(tmp_path: Path, document: Any, said: str) -> None:
    folder = write(tmp_path, json.dumps(document) if document is False else document)
    assert said in fails(folder)


def test_without_a_version_or_a_registry(tmp_path: Path, registry: str) -> None:
    folder = write(tmp_path / "project", ORDER, None)
    assert "declares no version" in run(folder, "package", "--local", code=2).stderr
    assert "did not answer" in run(folder, "package", DEEDBOX_URL="http://127.0.0.1:1", code=3).stderr
    none = run(folder, "package", "shop/never-was", DEEDBOX_URL=registry, code=2)
    assert "no version of shop/never-was" in none.stderr
    bare = tmp_path / "bare"
    bare.mkdir()
    assert "no contract is named" in run(bare, "package", code=2).stderr


def test_of_several_all_or_none_are_built(tmp_path: Path) -> None:
    folder = write(tmp_path, ORDER)
    more = '\n[[contract]]\nname = "gone"\nfile = "never.json"\nrole = "consumes"\nversion = "1.0.0"\npackage = "shop-gone"\n'
    (folder / "never.json").write_text("false")
    with (folder / "deedbox.toml").open("a") as file:
        file.write(more)
    assert "shop/gone 1.0.0: at the root: no message can satisfy" in run(folder, "package", "--local", code=2).stderr
    assert not (folder / "dist").exists()
    assert "is for one contract" in run(folder, "package", "--local", "--version", "1.0.0", code=2).stderr
    run(folder, "package", "order-placed", "--local")


@contextlib.contextmanager
def index(folder: Path) -> Iterator[str]:
    """A pypiserver that ada may upload to, with the word "open"."""
    folder.mkdir()
    word = base64.b64encode(hashlib.sha1(b"open").digest()).decode()
    (folder.parent / "users").write_text(f"ada:{{SHA}}{word}\n")
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port)]
    command += ["-P", str(folder.parent / "users"), "-a", "update", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/"
        for _ in range(100):
            try:
                with urllib.request.urlopen(url, timeout=1):
                    break
            except OSError:
                assert server.poll() is None, "pypiserver ended"
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_the_same_wheels_go_to_an_index_of_somebody_else(tmp_path: Path) -> None:
    folder = write(tmp_path / "project", marked(), "1.1.0")
    word = {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": "open"}
    with index(tmp_path / "packages") as url:
        to = ["package", "--local", "--publish-to", url]
        assert "TWINE_USERNAME" in run(folder, *to, code=2).stderr, "no credentials"
        refused = run(folder, *to, code=1, TWINE_USERNAME="ada", TWINE_PASSWORD="wrong")
        assert "403" in refused.stderr
        assert "TWINE_PASSWORD" in refused.stderr
        assert not list((tmp_path / "packages").iterdir())
        done = run(folder, *to, "--out", "dist", **word)
        assert [line for line in done.stdout.splitlines() if "uploaded" in line] == [
            f"uploaded {name}" for name in reversed(NAMES)
        ], "the code first, which the other requires"
        again = run(folder, *to, code=1, **word)
        assert again.stderr.count("is there already") == 2
        assert run(folder, *to, "--skip-existing", **word).stdout.count("is there already") == 2
        # One of them is there, the other goes up.
        (tmp_path / "packages" / NAMES[0]).unlink()
        half = run(folder, *to, code=1, **word)
        assert f"uploaded {NAMES[0]}" in half.stdout
        assert f"{NAMES[1]} is there already" in half.stderr
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-cache-dir",
            "--index-url",
            f"{url}simple/",
        ]
        wanted = ["shop-order-placed==1.1.0", "shop-order-placed-v1==1.1.0"]
        subprocess.run([*pip, "--dest", str(tmp_path / "got"), *wanted], check=True, capture_output=True, timeout=120)
    assert sums(tmp_path / "got") == sums(folder / "dist") == sums(tmp_path / "packages")


def test_an_index_that_is_away_or_none(tmp_path: Path, registry: str) -> None:
    folder = write(tmp_path, ORDER)
    word = {"TWINE_USERNAME": "ada", "TWINE_PASSWORD": "open"}
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        away = run(folder, "package", "--local", "--publish-to", url, code=3, **word)
    assert "did not answer" in away.stderr
    none = run(folder, "package", "--local", "--publish-to", f"{registry}/api/v1/services", code=1, **word)
    assert "Is it the address that takes uploads?" in none.stderr
