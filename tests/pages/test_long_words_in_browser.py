"""Names and texts of any length: nothing is pushed out of sight, on a desk, a phone and paper."""

import pytest
from deedbox.client import RegistryClient

from tests.pages.test_pages_in_browser import faults

LONG = "aVeryLongNameThatNobodyWouldEverWriteAndGeneratorsDoAllTheTime" * 2
SCHEMA = {
    "title": "Filed",
    "description": "Told at length.\n" + "Words of it. " * 300,
    "type": "object",
    "properties": {
        "a": {"type": "string", "description": "What a holds"},
        LONG: {"type": "object", "properties": {LONG: {"type": "array", "items": {"type": "string"}}}},
        "كلمة": {"type": "string", "description": "من اليمين إلى اليسار"},
        "many": {"enum": [f"value-{n}" for n in range(200)], "description": "word" * 100},
    },
}
WIDTHS = {"desk": {}, "phone": {"viewport": {"width": 360, "height": 740}}, "paper": {"viewport": {"width": 720}}}


@pytest.fixture(scope="module")
def page_of_it(shop):
    """The page of a contract with such words, and who reads it."""
    with RegistryClient(shop) as registry:
        sent = {"schema": SCHEMA, "kind": "event", "channels": ["long." + "words." * 20]}
        registry.publish("claims/filed", {**sent, "role": "produces"})
        registry.publish("fraud/filed", {**sent, "role": "consumes"})
    return "/contracts/claims/filed"


@pytest.mark.parametrize("where", WIDTHS)
def test_all_that_a_row_says_is_in_sight(visit, page_of_it, where):
    options = {"height": 800, **WIDTHS[where].get("viewport", {"width": 1280})}
    tab = visit(viewport=options)
    if where == "paper":
        tab.page.emulate_media(media="print")
    tab.open(page_of_it)
    tab.keep(f"long-words-{where}")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= options["width"]
    out = tab.page.evaluate(
        """() => {
          const all = [...document.querySelectorAll(".fields th, .fields td, .fields code, .fields a")];
          return all.filter((one) => {
            const box = one.getBoundingClientRect(), cell = one.closest("th, td").getBoundingClientRect();
            const table = one.closest(".scroll").getBoundingClientRect();
            return box.right > table.right + 1 || (cell.width && box.right > cell.right + 1);
          }).map((one) => one.outerHTML.slice(0, 80));
        }"""
    )
    assert out == []
    for text in ("What a holds", "من اليمين إلى اليسار"):
        assert tab.page.locator(".fields").get_by_text(text).is_visible()
    assert not faults(tab.page)


def test_all_of_a_long_description_is_there(visit, page_of_it):
    tab = visit()
    tab.open(page_of_it)
    tab.page.get_by_text("All of the description").click()
    assert tab.page.locator("details .said").inner_text().count("Words of it") == 300
