"""A contract version → a package in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.schema import Node
from deedbox.checker.json_schema.verify import presentable
from deedbox.codegen import fitting, naming, sampling, sources
from deedbox.codegen.errors import AdmitsNothing, GenerationFailed, UnsupportedFormat
from deedbox.codegen.fidelity import not_enforced
from deedbox.codegen.finishing import finished
from deedbox.codegen.generating import Generated, Model, generate
from deedbox.codegen.loading import loaded
from deedbox.codegen.model import STYLES, Fidelity, Package, PackageRequest
from deedbox.codegen.obsolescence import obsolete_places
from deedbox.codegen.preparing import Loosening, prepared
from deedbox.codegen.runtime.contract import validator_of, whole
from deedbox.codegen.texts import Texts

if TYPE_CHECKING:
    from types import ModuleType

    from deedbox.codegen.sources import Source

DRAFTS = {4: "4", 6: "6", 7: "7", 19: "2019-09", 20: "2020-12"}
_REQUIRES = {
    "pydantic": ("pydantic >=2.14,<3", "jsonschema-rs >=0.60.3,<1", "typing-extensions >=4.15"),
    "dataclass": ("pydantic >=2.14,<3", "jsonschema-rs >=0.60.3,<1", "typing-extensions >=4.15"),
    "typeddict": ("jsonschema-rs >=0.60.3,<1", "typing-extensions >=4.15"),
}


def build_package(request: PackageRequest) -> Package:
    """The package of a contract version: its code, as the distribution of its major (`billing-order-placed-v2`).

    Runs the generated classes to measure them, so a server builds in a process of its own: see `building.build`.

    Raises:
        CodegenError: what keeps it from being packaged.
        DocumentError: the document cannot be read, or is none of its format.
    """
    if request.style not in STYLES:
        raise UnsupportedFormat(f"no style {request.style!r}: choose from {', '.join(STYLES)}")
    distribution = naming.distribution_name(request.contract, request.distribution, request.prefix)
    version = naming.pep440(request.version)
    class_name = naming.class_name(request.contract.rpartition("/")[2])
    document = load_document(request.document, request.contract)
    source = sources.read(document, request.format, class_name, request.dialect)
    return _Build(request, source, distribution, version).package()


def umbrella(package: Package) -> Package:
    """The distribution that people install, `billing-order-placed` 2.3.0: no code, it requires that of the major.

    Both majors of one contract can then be installed, as neither has a file of the other.
    """
    base = package.distribution.rpartition("-v")[0]
    return Package(
        files={},
        distribution=base,
        version=package.version,
        module=package.module,
        classes=package.classes,
        requires=(f"{package.distribution} =={package.version}",),
        summary=package.summary,
        readme=package.readme,
        owner=package.owner,
        fidelity=package.fidelity,
        obsolete=package.obsolete,
        build=package.build,
        keywords=package.keywords,
    )


class _Build:
    def __init__(self, request: PackageRequest, source: Source, distribution: str, version: str) -> None:
        self.request, self.source, self.schema = request, source, source.schema
        self.distribution, self.version = distribution, version
        self.major = naming.major_of(request.version)
        self.module = f"{naming.module_of(distribution)}.{self.major}"
        self.draft = DRAFTS[self.schema.dialect.rank]
        self.nodes = {root.class_name: Node(self.schema, root.pointer) for root in source.roots}
        history = [
            (known, sources.read(load_document(before, known), request.format, "History", request.dialect).schema)
            for known, before in request.history
        ]
        self.obsolete = obsolete_places(self.schema, request.version, history)
        self.loosening = Loosening()
        self.texts = Texts(request, source, self.module, self.draft, self.obsolete)

    def package(self) -> Package:
        plain = presentable(self.schema.root)
        valid: dict[str, list[Any]] = {}
        broken: dict[str, list[Any]] = {}
        for root in self.source.roots:
            node = self.nodes[root.class_name]
            validator = validator_of(plain, self.draft, root.pointer)

            def is_valid(message: Any, accepts: Any = validator.is_valid) -> bool:
                return bool(accepts(presentable(message)))

            valid[root.class_name] = sampling.valid_messages(node, is_valid, root.examples)
            if not valid[root.class_name] and sampling.admits_nothing(node):
                raise AdmitsNothing(
                    "no message can satisfy this schema, so its class could never have an instance: correct it",
                    pointer=root.pointer,
                )
            broken[root.class_name] = sampling.broken_messages(valid[root.class_name], is_valid)
        files, fidelity = self.fitted(valid, broken)
        files |= self.texts.data(fidelity)
        base = f"{self.module.replace('.', '/')}/"
        return Package(
            files=dict(sorted((base + path, content) for path, content in files.items())),
            distribution=naming.code_distribution(self.distribution, self.request.version),
            version=self.version,
            module=self.module,
            classes=tuple(self.nodes),
            requires=_REQUIRES[self.request.style],
            summary=self.texts.summary,
            readme=self.texts.readme(fidelity, self.distribution),
            owner=self.request.owner,
            fidelity=fidelity,
            obsolete=self.obsolete,
            build=self.request.build,
            keywords=("contract", "dto", self.request.contract),
        )

    def fitted(self, valid: dict[str, list[Any]], broken: dict[str, list[Any]]) -> tuple[dict[str, bytes], Fidelity]:
        """The package's modules, once they hold every valid message as it is, and what they were measured to do."""
        round_ = 0
        while True:
            try:
                files = self.written()
                # Importing thousands of classes takes seconds: they are measured while they are loaded.
                with loaded(self.placed(files), self.module) as module:
                    trial = self.trial(module)
                    if self.request.style == "typeddict" or not self.loosen(trial, valid, round_):
                        return files, self.measured(trial, valid, broken)
            except GenerationFailed as error:
                fitting.give_up(self.loosening, list(self.nodes.values()), error)
            round_ += 1

    def loosen(self, trial: fitting.Trial, valid: dict[str, list[Any]], round_: int) -> bool:
        """Whether something was loosened, so that the classes are to be made again."""
        again = False
        for name, messages in valid.items():
            for message in messages:
                found = fitting.faults(trial, name, message)
                if not found:
                    continue
                again = True
                node = self.nodes[name]
                if round_ >= fitting.ROUNDS:
                    if node.pointer in self.loosening.anything:
                        return False  # held as any value, and measured as it is
                    self.loosening.anything[node.pointer] = found[0][2]
                else:
                    fitting.loosen(self.loosening, node, message, found, round_)
                break
        return again

    def written(self) -> dict[str, bytes]:
        style = self.request.style
        document, origins = prepared(
            self.schema,
            self.loosening,
            keep_defaults=style == "pydantic",
            open_enums="" if not self.request.open_enums else "texts" if style == "typeddict" else "classes",
        )
        whole = self.source.roots[0].pointer == ""
        # The generator makes a class of the document too; where messages are its definitions, nobody needs that one.
        name = self.source.roots[0].class_name if whole else "AnyMessage"
        made = generate(document, name, style, open_enums=self.request.open_enums)
        # Pointers of the document the generator saw → pointers of the contract's.
        models = tuple(Model(m.name, origins.get(m.pointer, m.pointer), m.fields) for m in made.models)
        made = Generated(made.files, models)
        classes = {}
        for root in self.source.roots:
            found = made.class_at(root.pointer)
            if found is None and len(self.source.roots) > 1:
                raise GenerationFailed(f"the generator made no class of {root.pointer}", pointer=root.pointer)
            classes[root.class_name] = found or root.class_name
        modules = finished(made, self.obsolete, style, open_enums=self.request.open_enums)
        modules |= self.texts.modules(classes, [m.name for m in models if whole or m.pointer])
        return {path: text.encode() for path, text in modules.items()}

    def placed(self, files: dict[str, bytes]) -> dict[str, bytes]:
        base = f"{self.module.replace('.', '/')}/"
        return {base + path: content for path, content in files.items()}

    def trial(self, module: ModuleType) -> fitting.Trial:
        contract = module._contract_
        classes = module.CLASSES

        def hold(root: str, value: Any) -> Any:
            return contract.held(whole(presentable(value)), classes[root])

        return fitting.Trial(hold, lambda root, held: contract.plain(held, classes[root]))

    def measured(self, trial: fitting.Trial, valid: dict[str, list[Any]], broken: dict[str, list[Any]]) -> Fidelity:
        accepted = round_tripped = rejected = 0
        for name, messages in valid.items():
            for message in messages:
                found = fitting.faults(trial, name, message)
                round_tripped += not found
                accepted += not found or found[0][1] == "changed"
        for name, messages in broken.items():
            for message in messages:
                try:
                    trial.hold(name, message)
                except Exception:  # noqa: BLE001 - whatever refuses a message refuses it
                    rejected += 1
        return Fidelity(
            messages=sum(map(len, valid.values())),
            accepted=accepted,
            round_tripped=round_tripped,
            broken=sum(map(len, broken.values())),
            rejected=rejected,
            loosened=fitting.loosened(self.loosening),
            not_enforced=not_enforced(self.schema),
        )
