"""What is done to generated modules: obsolete fields that warn, enums with a fallback, bases of the package's own.

Edits are made by line, at the places that the syntax tree names, so that everything else stays as the generator wrote it.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from deedbox.checker.pointers import join
from deedbox.codegen.generating import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deedbox.codegen.generating import Generated, Model
    from deedbox.codegen.model import Obsolete, Style

_BASE_IMPORT = re.compile(rf"^from {re.escape(BASE)} import ", re.MULTILINE)


def finished(
    generated: Generated, obsolete: Iterable[Obsolete], style: Style, *, open_enums: bool = False
) -> dict[str, str]:
    """The modules of the models as they are packaged: path below the version's module → code.

    Args:
        generated: with pointers of its models as `obsolete` has them.
        obsolete: what the contract marks so, by pointer.
        style: what the classes are.
        open_enums: whether enums of strings get a fallback.
    """
    marked = {o.pointer: o for o in obsolete}
    by_name: dict[str, Model] = {m.name: m for m in generated.models}
    files = {}
    for path, code in generated.files.items():
        text = code
        if style != "typeddict":
            text = _Module(code, by_name, marked, style, open_enums).text()
        dots = "." * (path.count("/") + 1)
        single = len(generated.files) == 1
        text = _BASE_IMPORT.sub(f"from {dots if single else dots + '.'}_base import ", text)
        files["models.py" if single else f"models/{path}"] = text if text.endswith("\n") else text + "\n"
    return files


class _Module:
    def __init__(
        self, code: str, models: dict[str, Model], marked: dict[str, Obsolete], style: Style, open_enums: bool
    ) -> None:
        self.code, self.lines = code, code.splitlines()
        self.models, self.marked, self.style, self.open_enums = models, marked, style, open_enums
        self.edits: list[tuple[int, int, list[str]]] = []
        """(first line, line after the last, new lines), from 0."""
        self.imports: set[str] = set()
        self.builtins = False

    def text(self) -> str:
        tree = ast.parse(self.code)
        last_import = 0
        for statement in tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                last_import = statement.end_lineno or 0
            if isinstance(statement, ast.ClassDef):
                self.finish(statement)
        added = []
        if self.builtins:
            added += [
                "import builtins as _builtins",
                "import typing as _typing",
                "",
                "from typing_extensions import deprecated as _deprecated",
            ]
        if self.imports:
            added.append(f"from {BASE} import {', '.join(sorted(self.imports))}")
        if added:
            self.edits.append((last_import, last_import, added))
        for first, after, new in sorted(self.edits, reverse=True):
            self.lines[first:after] = new
        return "\n".join(self.lines)

    def finish(self, cls: ast.ClassDef) -> None:
        head = cls.lineno - 1
        bases = {ast.unparse(base) for base in cls.bases}
        if self.open_enums and bases & {"Enum", "StrEnum"} and _string_members(cls):
            self.imports.add("OpenEnum")
            self.edits.append((head, head + 1, [f"class {cls.name}(OpenEnum):"]))
        if self.style == "dataclass":
            self.configure(cls)
        model = self.models.get(cls.name)
        if model is None:
            return
        if model.pointer in self.marked and not bases & {"Enum", "StrEnum", "IntEnum"}:
            first = min([head, *(d.lineno - 1 for d in cls.decorator_list)])
            self.imports.add("obsolete_class")
            self.edits.append((first, first, [f"@obsolete_class({self.marked[model.pointer].sentence!r})"]))
        names = set(model.fields.values())
        for name, field in model.fields.items():
            obsolete = self.marked.get(join(model.pointer, "properties", name))
            if obsolete is not None:
                self.hide(cls, name, field, obsolete, names)

    def configure(self, cls: ast.ClassDef) -> None:
        """A dataclass is as open as its schema, and its fields can be given by both their names."""
        for decorator in cls.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "dataclass":
                config = next((k.value for k in decorator.keywords if k.arg == "config"), None)
                closed = config is not None and "forbid" in ast.unparse(config)
                name = "CLOSED" if closed else "OPEN"
                self.imports.add(name)
                line = f"@dataclass(kw_only=True, config={name})"
                self.edits.append((decorator.lineno - 1, decorator.end_lineno or decorator.lineno, [line]))

    def hide(self, cls: ast.ClassDef, name: str, field: str, obsolete: Obsolete, names: set[str]) -> None:
        """An obsolete field is held under another name; its own is a deprecated property, which type checkers know.

        (PEP 702 marks functions and classes, not variables.) It is still given to the class by its own name.
        """
        found = next(
            (s for s in cls.body if isinstance(s, ast.AnnAssign) and ast.unparse(s.target) == field),
            None,
        )
        if found is None:
            return
        hidden = f"obsolete_{field}"
        while hidden in names:
            hidden += "_"
        annotation = _without_alias(found.annotation)
        held = ast.unparse(annotation)
        plain = held
        if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
            assert isinstance(annotation.slice, ast.Tuple)
            plain = ast.unparse(annotation.slice.elts[0])
        if found.value is None:
            value = f"Field(alias={name!r})"
        elif isinstance(found.value, ast.Call) and ast.unparse(found.value.func) == "Field":
            kept = [ast.unparse(a) for a in found.value.args]
            kept += [ast.unparse(k) for k in found.value.keywords if k.arg != "alias"]
            value = f"Field({', '.join([*kept, f'alias={name!r}'])})"
        else:
            value = f"Field(default={ast.unparse(found.value)}, alias={name!r})"
        self.builtins = True
        if not re.search(r"^from pydantic import .*\bField\b", self.code, re.MULTILINE):
            self.imports_field()
        new = [f"    {hidden}: {held} = {value}"]
        self.edits.append((found.lineno - 1, found.end_lineno or found.lineno, new))
        end = cls.end_lineno or cls.lineno
        self.edits.append(
            (
                end,
                end,
                [
                    "",
                    "    @_builtins.property",
                    f"    @_deprecated({obsolete.sentence!r})",
                    f"    def {field}(self) -> {plain}:",
                    f'        """{_docstring(obsolete.sentence)}"""',
                    f"        return self.{hidden}",
                    "",
                    # mypy reports a deprecated getter only where there is no setter beside it.
                    "    if not _typing.TYPE_CHECKING:",
                    "",
                    f"        @{field}.setter",
                    f"        def {field}(self, value: {plain}) -> None:",
                    f"            self.{hidden} = value",
                ],
            )
        )

    def imports_field(self) -> None:
        line = "from pydantic import Field"
        if not any(line in new for _, _, new in self.edits):
            tree = ast.parse(self.code)
            last = max((s.end_lineno or 0 for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)), default=0)
            self.edits.append((last, last, [line]))


def _string_members(cls: ast.ClassDef) -> bool:
    members = [s.value for s in cls.body if isinstance(s, ast.Assign)]
    return bool(members) and all(isinstance(v, ast.Constant) and isinstance(v.value, str) for v in members)


def _without_alias(annotation: ast.expr) -> ast.expr:
    """An annotation without the alias that its `Field(…)` gives."""
    for call in ast.walk(annotation):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Field":
            call.keywords = [k for k in call.keywords if k.arg != "alias"]
    return annotation


def _docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
