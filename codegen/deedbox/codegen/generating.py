"""The generator, `datamodel-code-generator` in process: its options, fixed and with their reasons, and its result."""

from __future__ import annotations

import json
import tempfile
import warnings
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedbox.codegen.errors import GenerationFailed

if TYPE_CHECKING:
    from deedbox.codegen.model import Style

REVISION = 4
"""Of what this room makes of a document. Raised by every change that changes bytes of packages."""

BASE = "deedbox_runtime.base"
"""Where generated modules import their base from, until they are placed in a package."""


@dataclass(frozen=True, slots=True)
class Model:
    """A generated class: its name, the JSON pointer of its schema, and property → field."""

    name: str
    pointer: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Generated:
    """What the generator gave. `files`: path below the models' package → code; `__init__.py` alone where all is in one."""

    files: dict[str, str]
    models: tuple[Model, ...]

    def class_at(self, pointer: str) -> str | None:
        """The class of a place of the document, or None where it has none of its own."""
        return next((m.name for m in self.models if m.pointer == pointer), None)


def generator_version() -> str:
    """Which generator makes the classes: part of a build, since another one makes other bytes."""
    return f"datamodel-code-generator {metadata.version('datamodel-code-generator')}, revision {REVISION}"


def generate(document: Any, class_name: str, style: Style, *, open_enums: bool = False) -> Generated:
    """Classes of a prepared document.

    Args:
        document: see `preparing.prepared`.
        class_name: of the root's class.
        style: what the classes are.
        open_enums: enums of one value stay enums, so that they too can have a fallback.

    Raises:
        GenerationFailed: the generator raised, with what it said.
    """
    import datamodel_code_generator as generator
    from datamodel_code_generator.config import GenerateConfig

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what the fidelity report measures
        written = Path(folder, "models.json")
        options = _options(style, open_enums) | {"class_name": class_name, "emit_model_metadata": written}
        try:
            made = generator.generate(json.dumps(document), config=GenerateConfig(**options))
        except Exception as error:
            raise GenerationFailed(f"the generator gave up: {type(error).__name__}: {str(error)[:300]}") from error
        models = tuple(_model(m) for m in json.loads(written.read_text())["models"]) if written.exists() else ()
    if made is None:
        raise GenerationFailed("the generator found nothing to make a class of")
    if isinstance(made, str):
        return Generated({"__init__.py": made}, models)
    return Generated({"/".join(path): str(code) for path, code in made.items()}, models)


def _options(style: Style, open_enums: bool) -> dict[str, Any]:
    from datamodel_code_generator.enums import DataModelType, InputFileType, StrictTypes, TargetPydanticVersion
    from datamodel_code_generator.format import Formatter, PythonVersion

    options: dict[str, Any] = {
        "input_file_type": InputFileType.JsonSchema,
        "output_model_type": {
            "pydantic": DataModelType.PydanticV2BaseModel,
            "dataclass": DataModelType.PydanticV2Dataclass,  # aliases and extra properties, which plain ones cannot hold
            "typeddict": DataModelType.TypingTypedDict,
        }[style],
        "target_python_version": PythonVersion.PY_311,
        # The same input gives the same bytes: no timestamp, no formatter with settings of its own, a fixed header.
        "disable_timestamp": True,
        "formatters": [Formatter.BUILTIN],
        "custom_file_header": "# Made from the contract's schema. Do not edit: publish another version.",
        # Nothing is fetched, ever.
        "allow_remote_refs": False,
        "strict_refs": True,
        # Constraints as metadata, so that the annotation is the type itself.
        "use_annotated": True,
        "field_constraints": True,
        # Absent is not null: an optional property is MISSING, and null only where the schema says so.
        "strict_nullable": True,
        "use_missing_sentinel": style != "typeddict",
        "target_pydantic_version": TargetPydanticVersion.V2_14,
        # A string is no number: what comes in is what goes out.
        "strict_types": [] if style == "typeddict" else list(StrictTypes),
        # As much of the schema as types can say.
        "intersect_allof_keywords": True,
        "use_site_models_for_constrained_refs": True,
        "filter_literal_values": True,
        "use_typed_nullable_map_values": True,
        "use_typed_map_values_beside_other_types": True,
        "use_single_dict_for_object_maps": True,
        "read_unevaluated_properties": True,
        "read_const_beside_enum": True,
        "keep_enum_member_values": True,
        "use_tuple_for_closed_arrays": True,
        "keep_field_defaults_off_branch_roots": True,
        "use_single_value_enum_as_const": not open_enums,
        # A `default` that the class does not accept by itself would fail on first use.
        "use_closed_typed_dict": False,  # PEP 728: not every type checker reads it yet
        # Dots in names are no module paths: all classes are in one module.
        "treat_dot_as_module": False,
        # Documentation from the document.
        "use_schema_description": True,
        "use_field_description": True,
    }
    if style == "pydantic":
        options["base_class"] = f"{BASE}.ContractModel"
    if style == "dataclass":
        options["keyword_only"] = True
    return options


def _model(entry: dict[str, Any]) -> Model:
    from urllib.parse import unquote

    source = entry.get("source_ref") or ""
    fields = {f["original_name"]: f["name"] for f in entry["fields"] if f.get("original_name") is not None}
    return Model(entry["name"], unquote(source.partition("#")[2]), fields)
