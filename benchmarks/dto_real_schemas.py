"""Packages of real schemas, beside the generator's plain best configuration on the same schemas in the same run.

For the new side of each pair of the public cases: does it generate, import, take valid messages, give them back
unchanged, refuse broken ones (by its classes alone, and by `validate()`), and in how many seconds? Valid and broken
messages are those of `deedbox.codegen.sampling`, by another seed than packages are fitted with (the few that both seeds
give are left out); what is valid and what is broken is judged by `jsonschema-rs` and, of
broken ones, by `jsonschema` as well (with --no-second-judge it is not: quicker).

    python benchmarks/dto_real_schemas.py [--only TEXT] [--limit N]
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
import warnings
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from deedbox.checker import load_document
from deedbox.checker.canonical import canonical
from deedbox.checker.json_schema.reference import validator as reference_validator
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.verify import presentable
from deedbox.codegen import CodegenError, PackageRequest, build_package, umbrella, wheel_bytes
from deedbox.codegen.loading import loaded
from deedbox.codegen.package import DRAFTS
from deedbox.codegen.runtime.contract import validator_of
from deedbox.codegen.sampling import broken_messages, valid_messages

CASES = Path(__file__).resolve().parent.parent.parent / "shared" / "cases"
FORMATS = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uuid",
    "regex",
    "json-pointer",
    "uri-template",
    "binary",
    "byte",
    "password",
    "path",
    "decimal",
]


def rows(only: str, limit: int) -> list[dict[str, Any]]:
    found = []
    for name in ("schemastore", "iglu"):
        path = CASES / f"{name}_pairs.jsonl.gz"
        if not path.exists():
            sys.exit(f"the public cases are not here ({path.name})")
        found += [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return [row for row in found if only in row["id"]][:limit]


def same(one: Any, other: Any) -> bool:
    return canonical(load_document([one]).value) == canonical(load_document([other]).value)


class Tally:
    """What one way of making classes did."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.seconds: list[float] = []

    def messages(self, valid: list[Any], broken: list[Any], hold: Any, plain: Any, check: Any) -> None:
        clean = True
        for message in valid:
            try:
                held = hold(message)
                self.counts["accepted"] += 1
                unchanged = same(plain(held), message)
            except Exception:  # noqa: BLE001 - whatever refuses a message refuses it
                unchanged = False
            self.counts["round_tripped"] += unchanged
            clean = clean and unchanged
        for message in broken:
            try:
                hold(message)
            except Exception:  # noqa: BLE001 - whatever refuses a message refuses it
                self.counts["refused_by_classes"] += 1
            self.counts["refused_by_validate"] += not check(message)
        self.counts["clean"] += clean


def ours(row: dict[str, Any], valid: list[Any], broken: list[Any], tally: Tally) -> None:
    start = time.perf_counter()
    try:
        request = PackageRequest("real/contract", "1.0.0", row["new"], dialect=row["dialect"])
        package = build_package(request)
        wheel_bytes(package)
        wheel_bytes(umbrella(package))
    except CodegenError as error:
        print(f"  {row['id']}: {error}")
        return
    finally:
        tally.seconds.append(time.perf_counter() - start)
    tally.counts["generated"] += 1
    tally.counts["loosened"] += bool(package.fidelity.loosened)
    with loaded(package.files, package.module) as module:
        tally.counts["imported"] += 1
        contract = module._contract_
        tally.messages(
            valid,
            broken,
            lambda m: contract.held(presentable(m), module.Contract),
            lambda held: contract.plain(held, module.Contract),
            lambda m: passes(module, presentable(m)),
        )


def plain(row: dict[str, Any], valid: list[Any], broken: list[Any], tally: Tally) -> None:
    from datamodel_code_generator import generate
    from datamodel_code_generator.config import GenerateConfig
    from datamodel_code_generator.enums import DataModelType, InputFileType, TargetPydanticVersion
    from datamodel_code_generator.format import Formatter, PythonVersion
    from pydantic import TypeAdapter

    start = time.perf_counter()
    config = GenerateConfig(
        input_file_type=InputFileType.JsonSchema,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        target_pydantic_version=TargetPydanticVersion.V2_14,
        formatters=[Formatter.BUILTIN],
        disable_timestamp=True,
        use_annotated=True,
        field_constraints=True,
        strict_nullable=True,
        allow_remote_refs=False,
        use_missing_sentinel=True,
        extra_fields="allow",
        class_name="Contract",
        type_mappings=[f"string+{name}=string" for name in FORMATS],
    )
    with ExitStack() as stack:
        try:
            made = generate(json.dumps(row["new"]), config=config)
            tally.counts["generated"] += 1
            files = made if isinstance(made, dict) else {("__init__.py",): made}
            written = {f"plain/{'/'.join(path)}": str(code).encode() for path, code in files.items()}
            module = stack.enter_context(loaded(written, "plain"))
            adapter = TypeAdapter(module.Contract)
            tally.counts["imported"] += 1
        except Exception as error:  # noqa: BLE001 - counted as not imported
            print(f"  {row['id']}: plain: {type(error).__name__}: {str(error)[:100]}")
            return
        finally:
            tally.seconds.append(time.perf_counter() - start)
        tally.messages(
            valid,
            broken,
            lambda m: adapter.validate_json(json.dumps(presentable(m))),
            lambda held: adapter.dump_python(held, mode="json", by_alias=True, exclude_unset=True),
            lambda _: True,  # it has nothing of the kind
        )


def passes(module: Any, message: Any) -> bool:
    try:
        module.validate(message)
    except module.ContractViolation:
        return False
    return True


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--only", default="", help="rows whose id has this text")
    arguments.add_argument("--limit", type=int, default=10_000)
    arguments.add_argument(
        "--seed", type=int, default=1, help="of the messages; 0 are those that packages are fitted to"
    )
    arguments.add_argument("--no-second-judge", action="store_true")
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    tallies = (Tally("deedbox"), Tally("plain"))
    totals: Counter[str] = Counter()
    for row in rows(given.only, given.limit):
        schema = Schema(load_document(row["new"]), row["dialect"])
        validator = validator_of(presentable(schema.root), DRAFTS[schema.dialect.rank], "")
        valid = valid_messages(schema.node, lambda m, v=validator: v.is_valid(presentable(m)), seed=given.seed)
        broken = broken_messages(valid, lambda m, v=validator: v.is_valid(presentable(m)))
        if not given.no_second_judge:
            reference = reference_validator(schema)
            valid = [m for m in valid if reference.is_valid(m)]
            broken = [m for m in broken if not reference.is_valid(m)]
        if given.seed:  # held out: none of those that the classes were fitted to
            fitted = valid_messages(schema.node, lambda m, v=validator: v.is_valid(presentable(m)))
            known = {canonical(m) for m in fitted}
            valid = [m for m in valid if canonical(m) not in known]
        totals.update(schemas=1, valid=len(valid), broken=len(broken))
        ours(row, valid, broken, tallies[0])
        plain(row, valid, broken, tallies[1])
    print(f"{totals['schemas']} schemas, {totals['valid']} valid messages, {totals['broken']} broken ones\n")
    print(f"| {'':28} | {tallies[0].name:>9} | {tallies[1].name:>9} |\n|{'-' * 30}|{'-' * 11}|{'-' * 11}|")
    for key in (
        "generated",
        "imported",
        "clean",
        "accepted",
        "round_tripped",
        "refused_by_classes",
        "refused_by_validate",
        "loosened",
    ):
        print(f"| {key.replace('_', ' '):28} | {tallies[0].counts[key]:9} | {tallies[1].counts[key]:9} |")
    for label, at in (("seconds, median", 0.5), ("seconds, p99", 0.99), ("seconds, most", 1.0)):
        figures = [sorted(t.seconds)[min(int(len(t.seconds) * at), len(t.seconds) - 1)] for t in tallies]
        print(f"| {label:28} | {figures[0]:9.3f} | {figures[1]:9.3f} |")


if __name__ == "__main__":
    main()
