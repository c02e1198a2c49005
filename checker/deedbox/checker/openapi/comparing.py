"""Two OpenAPI documents compared: operations paired, rules asked, each schema position decided by the inclusion engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.apis.content import Content
from deedbox.checker.apis.outcome import comparison_of
from deedbox.checker.apis.schemas import Decider, Options
from deedbox.checker.apis.sources import bundle
from deedbox.checker.openapi.dialects import dialect_of
from deedbox.checker.openapi.hints import Hints
from deedbox.checker.openapi.pairing import Pairing
from deedbox.checker.openapi.reading import read
from deedbox.checker.openapi.validity import check

if TYPE_CHECKING:
    from deedbox.checker.documents import Document
    from deedbox.checker.model import Comparison, ContentModel


def compare_openapi(
    old: Document,
    new: Document,
    *,
    content_model: ContentModel,
    format_assertion: bool,
    milliseconds: float,
    algebra: bool,
    contract: str,
) -> Comparison:
    """See `deedbox.checker.compare`."""
    old_bundle, new_bundle = bundle(old), bundle(new)
    apis = read(old_bundle), read(new_bundle)
    if old_bundle.value == new_bundle.value:
        # Nothing to compare, but all to be looked at: this is how a document is checked on its own.
        check(apis[1], dialect_of(apis[1]))
    else:
        for api, document in zip(apis, (old_bundle, new_bundle), strict=True):
            # Equal text with a dynamic reference is not yet equal meaning: it must not be passed over as unchanged.
            text = document.text if document.text is not None and not document.files else repr(document.value)
            if "$dynamicRef" in text:
                check(api, dialect_of(api))
    content = Content(old_bundle, new_bundle)
    pairing = Pairing(apis[0], apis[1], content.same, contract)
    pairing.compare()
    options = Options(content_model, format_assertion, milliseconds, algebra)
    decider = Decider(
        (old_bundle, new_bundle),
        (dialect_of(apis[0]), dialect_of(apis[1])),
        pairing.positions,
        pairing.findings,
        options,
        content.same,
    )
    decided = decider.decide()
    Hints(decider, apis, content.same, tolerant=content_model == "tolerant").compare()
    return comparison_of("openapi", content_model, old_bundle, new_bundle, pairing.findings, decided)
