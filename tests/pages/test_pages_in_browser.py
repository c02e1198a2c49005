"""The pages as people meet them: in a real browser, by mouse, by keyboard alone, without JavaScript, on a phone."""

import json
import re

import pytest

ORDER = {
    "order_id": "AB-123456",
    "placed_at": "2026-11-01T10:00:00Z",
    "total": {"amount": "12.00", "currency": "EUR"},
    "payment": {"method": "card"},
    "ship_to": {"name": "A", "street": "B", "city": "C", "country": "DE"},
    "lines": [{"sku": "x", "quantity": 1}],
}
PAGES = {
    "home": "/",
    "contracts": "/contracts",
    "contract": "/contracts/orders/order-placed",
    "field": "/contracts/orders/order-placed/fields/properties/coupon",
    "compare": "/contracts/orders/order-placed/compare/1.0.0...1.2.1",
    "services": "/services",
    "service": "/services/billing",
    "map": "/map",
    "fits": "/fits",
    "matrix": "/fits/orders/order-placed",
    "search": "/search?q=order",
    "try": "/try?contract=billing/order-placed",
    "audit": "/audit",
    "drains": "/drains",
    "dead-letters": "/dead-letters",
    "packages": "/packages",
    "accepted": "/contracts/warehouse/stock-reserved/compare/1.0.0...1.1.0",
    "retired": "/contracts/payments/payment-settled/versions/1.2.0",
    "gone-field": "/contracts/payments/payment-settled/fields/properties/card_hint",
    "api": "/api/v1/docs",
    "problems": "/problems/",
    "retirement": "/contracts/orders/order-placed/versions/1.0.0/retirement",
    "missing": "/contracts/no/such",
}


DARK = ("home", "contract", "compare", "map", "drains")
"""Pages with all the colours there are, whose contrast is measured in the dark too."""


LONG = {"api": "section:nth-of-type(-n+4)"}
"""Pages that say the same a hundred times, of which a part is measured."""


def test_the_story_is_clicked_through(visit):
    tab = visit()
    page = tab.page
    tab.open("/")
    assert page.locator(".tiles").inner_text().split("\n")[:2] == ["8", "services"]
    page.get_by_role("link", name="All of it").click()
    page.get_by_role("link", name="orders/order-placed@1.2.0").click()
    assert page.url.endswith("/contracts/orders/order-placed/versions/1.2.0")
    page.get_by_role("link", name="the latest is 1.2.1").click()
    row = page.locator('tr[id="/properties/coupon/properties/code"]')
    assert "billing" in row.inner_text()
    assert "at least 1 character" in row.inner_text()
    page.get_by_label("Only fields with").fill("currency")
    assert page.locator(".fields tbody tr:visible").count() == 1
    page.get_by_role("link", name="what changed since 1.1.0").click()
    assert page.url.endswith("/contracts/orders/order-placed/compare/1.1.0...1.2.0")
    assert 'the property "gift_note" was added' in page.locator(".diff .note").first.inner_text()
    assert page.get_by_role("heading", name="Who breaks").is_visible()
    page.get_by_role("link", name="field gift_note").click()
    assert page.locator(".timeline").inner_text().startswith("1.2.0 added")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Map").click()
    page.locator(".drawing").get_by_role("link", name="billing").click()
    assert page.url.endswith("/services/billing")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Who fits whom").click()
    page.get_by_role("link", name="orders/order-placed", exact=True).first.click()
    assert page.locator(".matrix tbody tr").count() == 4
    tab.keep("matrix-clicked")


def test_home_leads_to_what_is_blocked_what_drains_and_what_is_dead(visit):
    tab = visit()
    page = tab.page
    tab.open("/")
    blocked = page.get_by_role("region", name="What is blocked")
    assert "at /reserved: 0 is less than the minimum of 1" in blocked.inner_text()
    page.get_by_role("region", name="What drains").get_by_role("link", name="/card_hint").click()
    assert "93%" in page.locator(".card").inner_text()
    assert "ledger-worker" in page.locator(".card").inner_text()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Dead letters").click()
    assert [row.split("\t")[0] for row in page.locator("#groups tbody tr").all_inner_texts()] == ["2", "5"]


def test_a_deep_link_leads_to_its_field(visit):
    tab = visit()
    tab.open("/contracts/orders/order-placed#/properties/ship_to/properties/city")
    assert tab.page.locator("tr:target").inner_text().startswith("city")


def test_a_message_is_tried(visit):
    tab = visit()
    tab.open("/try?contract=billing/order-placed")
    message = {**ORDER, "payment": {"method": "transfer"}}
    tab.page.get_by_label("Message").fill(json.dumps(message))
    tab.page.get_by_role("button", name="Try it").click()
    results = tab.page.locator("tbody").inner_text()
    assert "rejects" in results
    assert "/payment/method" in results
    tab.page.get_by_label("Message").fill(json.dumps(ORDER))
    tab.page.get_by_role("button", name="Try it").click()
    assert "accepts" in tab.page.locator("tbody").inner_text()


def test_a_version_is_retired_only_with_a_reason_and_the_forms_token(visit, shop):
    tab = visit()
    tab.open("/contracts/shipping/parcel-sent/versions/1.0.0/retirement")
    form = tab.page.context.request
    refused = form.post(f"{shop}/contracts/shipping/parcel-sent/versions/1.0.0/retirement", form={"reason": "x"})
    assert refused.status == 403
    tab.page.get_by_label("Why").fill("the parcels are sent by others now")
    tab.page.get_by_role("button", name="Retire it").click()
    assert tab.page.locator(".notice").inner_text().endswith("the parcels are sent by others now")
    tab.open("/audit?kind=retirement")
    assert "shipping/parcel-sent@1.0.0" in tab.page.locator("tbody").inner_text()


def test_by_keyboard_alone(visit):
    tab = visit()
    page, keys = tab.page, tab.page.keyboard
    tab.open("/contracts")
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    keys.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    keys.type("gift")
    keys.press("Enter")
    page.wait_for_url("**/search?q=gift")
    for _ in range(40):
        keys.press("Tab")
        if "gift_note" in page.evaluate("document.activeElement.textContent"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    keys.press("Enter")
    page.wait_for_url("**#/properties/gift_note")


def test_typing_searches_at_once(visit):
    tab = visit()
    tab.open("/search")
    tab.page.locator("#search").press_sequentially("coupon", delay=20)
    tab.page.get_by_role("heading", name="What has “coupon”").wait_for()
    assert tab.page.url.endswith("/search?q=coupon")


def test_without_javascript(visit):
    tab = visit(java_script_enabled=False)
    page = tab.page
    tab.open("/")
    page.locator("#search").fill("invoice")
    page.locator("#search").press("Enter")
    page.get_by_role("link", name="billing/invoice-issued", exact=True).first.click()
    page.get_by_role("link", name="Try a message against it").click()
    page.get_by_label("Message").fill("{")
    page.get_by_role("button", name="Try it").click()
    assert "no JSON" in page.get_by_role("alert").inner_text()
    tab.forgive("422")
    tab.open("/contracts/orders/order-placed")
    assert page.locator(".filter").is_hidden()
    page.get_by_role("button", name="Show").click()
    assert re.search(r"/compare/1\.2\.0\.\.\.1\.2\.1$", page.url)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit").click()
    page.get_by_label("About what starts with").fill("billing/")
    page.get_by_role("button", name="Show").click()
    assert page.locator("tbody tr").count() == 3


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_is_accessible(tabs, name):
    phone, desk = tabs["phone"], tabs["desk"]
    phone.open(PAGES[name])
    phone.keep(f"{name}-phone-dark")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    found = faults(phone.page) if name in DARK else []
    desk.open(PAGES[name])
    desk.keep(name)
    found += faults(desk.page, LONG.get(name))
    if name == "missing":
        phone.forgive("404")
        desk.forgive("404")
    assert not found, found


def faults(page, part=None):
    """What axe finds, moderate and minor things too (in a part of the page), with the first places of each."""
    from axe_playwright_python.sync_playwright import Axe

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": tags}}
    violations = Axe().run(page, context=part, options=options).response["violations"]
    return [(v["impact"], v["id"], v["help"], [n["html"][:160] for n in v["nodes"][:3]]) for v in violations]


def test_a_page_prints_without_its_frame(visit):
    tab = visit()
    tab.open("/contracts/orders/order-placed")
    tab.page.emulate_media(media="print")
    assert tab.page.locator(".top nav").is_hidden()
    assert tab.page.locator("#fields").is_visible()


def test_a_page_takes_few_requests(visit):
    tab = visit()
    tab.open("/contracts/orders/order-placed")
    paths = {re.sub(r"^http://[^/]+|\?.*$", "", url) for url in tab.asked} - {"/static/deedbox.svg"}
    # The icon is asked for by some browsers only.
    assert paths == {
        "/contracts/orders/order-placed",
        "/static/deedbox.css",
        "/static/htmx.min.js",
        "/static/deedbox.js",
        "/badges/orders/order-placed.svg",
    }
    assert len(tab.asked) <= 6
