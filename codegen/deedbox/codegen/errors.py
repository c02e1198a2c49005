"""What can keep a contract version from becoming a package, each as a class with fields."""

from __future__ import annotations


class CodegenError(Exception):
    """Root of all that code generation raises. `str()` is one sentence that says what, where and what to do."""

    code = "codegen-error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidName(CodegenError):
    """A name that no package, module or class can have. `name` is it."""

    code = "invalid-package-name"

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(message)
        self.name = name

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles with its fields: packages are built in worker processes."""
        return (_named, (type(self), self.message, self.name))


class ReservedName(InvalidName):
    """A name that belongs to something else: the standard library, what packages depend on, another contract."""

    code = "reserved-package-name"


class VersionNotPackageable(CodegenError):
    """A semantic version that has no PEP 440 form, so that no installer could order it."""

    code = "version-not-packageable"


class UnsupportedFormat(CodegenError):
    """A document format for which there is no source here."""

    code = "unsupported-format"


class DocumentNotPackageable(CodegenError):
    """A document that gives no classes. `pointer` is the JSON pointer of what stops it, "" for the whole document."""

    code = "document-not-packageable"

    def __init__(self, message: str, *, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer

    def __str__(self) -> str:
        """`at /pointer: message`."""
        return f"at {self.pointer or 'the root'}: {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles with its fields."""
        return (_placed, (type(self), self.message, self.pointer))


class AdmitsNothing(DocumentNotPackageable):
    """A schema that no message can satisfy: a class for it could never have an instance."""

    code = "admits-nothing"


class GenerationFailed(DocumentNotPackageable):
    """The generator gave nothing that can be imported, however loosely the document was read."""

    code = "generation-failed"


class BuildTimedOut(CodegenError):
    """A build that was stopped at its time limit, or whose process died. Nothing of it is kept."""

    code = "build-stopped"


class ToolMissing(CodegenError):
    """A program that a build needs is not installed. `tool` is its name."""

    code = "tool-missing"

    def __init__(self, message: str, *, tool: str) -> None:
        super().__init__(message)
        self.tool = tool

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles with its fields."""
        return (_tool, (self.message, self.tool))


def _named(kind: type[InvalidName], message: str, name: str) -> InvalidName:
    return kind(message, name=name)


def _placed(kind: type[DocumentNotPackageable], message: str, pointer: str) -> DocumentNotPackageable:
    return kind(message, pointer=pointer)


def _tool(message: str, tool: str) -> ToolMissing:
    return ToolMissing(message, tool=tool)
