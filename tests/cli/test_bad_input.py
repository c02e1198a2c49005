"""`diff` against input that is wrong or hostile: a clear error with a place, or an honest answer; never green."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from deedbox.checker import load_document
from deedbox.checker.errors import UnresolvedReference
from deedbox.cli import guarded

DRAFT = "https://json-schema.org/draft/2020-12/schema"
GOOD = json.dumps({"$schema": DRAFT, "type": "object", "properties": {"a": {"type": "string"}}})


def diff(*arguments, stdin=None, timeout=60):
    command = [sys.executable, "-m", "deedbox.cli.main", "diff", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=timeout, check=False)


def deep(levels):
    return '{"not":' * levels + "true" + "}" * levels


def chain(length):
    defs = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(length)}
    return json.dumps({"$schema": DRAFT, "$ref": "#/$defs/d0", "$defs": defs | {f"d{length}": {"type": "string"}}})


REFUSED = {
    # name: (new document, file name, words of the message, pointer or None, whether a line is due)
    "not JSON": ('{"type": "object",\n "properties": }', "new.json", "not JSON", None, True),
    "an empty file": ("", "new.json", "not JSON", None, True),
    "not YAML": ("type: object\nproperties: [a\n", "new.yaml", "YAML", None, True),
    "not a schema": ('{"type": "objekt"}', "new.json", "", "/type", True),
    "a list": ("[1, 2]", "new.json", "", "", False),
    "an unknown $schema": ('{"$schema": "https://example.org/my"}', "new.json", "no known draft", "/$schema", True),
    "a $ref to nowhere": ('{"$ref": "#/$defs/a"}', "new.json", "", "", True),
    "a $ref out of the document": ('{"$ref": "https://example.org/a.json"}', "new.json", "bundle", "", True),
    "a $ref to a file": ('{"$ref": "other.json"}', "new.json", "there is no file other.json", "", True),
    "levels": (deep(10_000), "new.json", "nested deeper", None, False),
    "levels in YAML": ("[" * 10_000, "new.yaml", "", None, False),
    "a key twice": ('{"type": "object",\n "type": "object"}', "new.json", "", "/type", True),
    "a lone surrogate": ('{"const":\n "\\ud800"}', "new.json", "surrogate", "/const", False),
    "NaN": ('{"maximum":\n NaN}', "new.json", "NaN", "/maximum", True),
    "an infinite number": ('{"maximum":\n 1e999999999}', "new.json", "digits", "/maximum", True),
    "bytes that are no text": (b'{"title": "\xff"}', "new.json", "UTF-8", None, True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_document_that_cannot_be_used_is_an_error_with_its_place(tmp_path, name):
    new, file, words, pointer, has_line = REFUSED[name]
    (tmp_path / "old.json").write_text(GOOD)
    (tmp_path / file).write_bytes(new if isinstance(new, bytes) else new.encode("utf-8", "surrogatepass"))
    for old_first in (True, False):
        pair = [tmp_path / "old.json", tmp_path / file]
        done = diff(*(pair if old_first else pair[::-1]), "--format", "json")
        assert done.returncode == 2, done.stdout + done.stderr
        error = json.loads(done.stdout)["error"]
        assert words in error["message"]
        assert file in error["message"]
        assert "Traceback" not in done.stderr
        if pointer is not None:
            assert error["pointer"] == pointer
        if has_line:
            assert error["line"] in (1, 2, 3)


BOMBS = {
    "a pattern that is none": '{"pattern": "("}',
    "300 bytes of dependentRequired": json.dumps(
        {
            "$schema": DRAFT,
            "dependentRequired": {chr(97 + n): [chr(97 + (n + 1) % 26), chr(97 + (n * 7 + 3) % 26)] for n in range(24)},
        }
    ),
    "allOf over anyOf": json.dumps(
        {"$schema": DRAFT, "allOf": [{"anyOf": [{"required": [f"a{n}"]}, {"required": [f"b{n}"]}]} for n in range(16)]}
    ),
    "a chain of 2,000 $refs": chain(2_000),
    "an enum of 10,000": json.dumps({"$schema": DRAFT, "enum": [f"value-{n}" for n in range(10_000)]}),
    "references that double": json.dumps(
        {
            "$schema": DRAFT,
            "$ref": "#/$defs/d0",
            "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
            | {"d40": {"type": "string"}},
        }
    ),
    "5 MB": json.dumps({"$schema": DRAFT, "properties": {f"property{n}": {"type": "string"} for n in range(120_000)}}),
    "YAML aliases that double": "a0: &a0 {type: string}\n"
    + "".join(f"a{n + 1}: &a{n + 1} {{allOf: [*a{n}, *a{n}]}}\n" for n in range(40)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_soon_with_an_answer_that_is_no_fault(tmp_path, name):
    suffix = "yaml" if "YAML" in name else "json"
    (tmp_path / f"new.{suffix}").write_text(BOMBS[name])
    (tmp_path / "old.json").write_text(GOOD)
    began = time.monotonic()
    done = diff(tmp_path / "old.json", tmp_path / f"new.{suffix}", "--format", "json")
    assert done.returncode in (0, 1, 2, 3), done.stderr[-2000:]
    assert "a fault in deedbox" not in done.stderr
    assert "Traceback" not in done.stderr
    found = json.loads(done.stdout)
    if done.returncode == 2:
        assert found["error"]["message"]
    else:
        verdicts = {0: ("additive", "patch", "identical"), 1: ("breaking",), 3: ("undecided",)}
        assert found["verdict"] in verdicts[done.returncode]
        if done.returncode == 3:
            assert found["backward"]["reason"]
    assert time.monotonic() - began < 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here, so no limit on a comparison")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the test runner has threads, the command none
class TestGuard:
    """Comparisons that hang, crash or eat the memory end as undecided; errors and faults come through."""

    def guarded(self, monkeypatch, work, seconds=1.0):
        document = load_document(GOOD)
        monkeypatch.setattr("deedbox.checker.compare", work)
        monkeypatch.setattr(guarded, "_GRACE_SECONDS", seconds)
        return guarded.compare(document, document, milliseconds=1)

    @pytest.mark.parametrize(
        ("work", "reason"),
        [
            (lambda *_, **__: time.sleep(60), "stopped after 1 s"),
            (lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL), "took the process down"),
            (lambda *_, **__: bytearray(1 << 40), "took the process down"),
        ],
    )
    def test_what_never_answers_is_undecided(self, monkeypatch, work, reason):
        began = time.monotonic()
        found = self.guarded(monkeypatch, work)
        assert (found.backward.holds, found.forward.holds) == (None, None)
        assert reason in found.backward.reason
        assert found.judge("consumes").verdict in ("undecided", "identical")
        assert time.monotonic() - began < 20

    def test_the_second_try_goes_without_the_algebra(self, monkeypatch):
        from deedbox.checker.comparison import compare

        def work(*documents, algebra, **options):
            if algebra:
                os._exit(134)
            return compare(*documents, algebra=algebra, **options)

        assert self.guarded(monkeypatch, work, seconds=30).backward.holds is True

    def test_errors_keep_their_fields_and_faults_their_words(self, monkeypatch):
        def wrong(*_, **__):
            raise UnresolvedReference("nowhere", source="a.json", pointer="/$ref", line=3)

        with pytest.raises(UnresolvedReference) as caught:
            self.guarded(monkeypatch, wrong)
        assert (caught.value.source, caught.value.pointer, caught.value.line) == ("a.json", "/$ref", 3)
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            self.guarded(monkeypatch, lambda *_, **__: 1 // 0)


def test_missing_and_unreadable_files(tmp_path):
    (tmp_path / "old.json").write_text(GOOD)
    for wrong in (tmp_path / "gone.json", tmp_path):
        done = diff(tmp_path / "old.json", wrong)
        assert done.returncode == 2
        assert str(wrong) in done.stdout


def test_both_sides_from_standard_input_is_wrong_usage():
    done = diff("-", "-", stdin=GOOD)
    assert done.returncode == 2
    assert "standard input" in done.stderr
