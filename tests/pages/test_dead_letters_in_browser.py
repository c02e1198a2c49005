"""Dead letters sent again from a real browser. Where a worker would be beside a Kafka, a thread plays it over HTTP."""

import re
import threading
from uuid import uuid4

import pytest
from deedbox.client import RegistryClient

from tests.pages.test_pages_in_browser import faults

FAILING = "/dead-letters/shop.payments.dlt/a7b03e55d918"
FOUND = {"read": 7, "replayed": 4, "quarantined": 0, "failing": 3, "skipped": 0, "ends": [{"partition": 0, "end": 7}]}
EXAMPLES = [{"partition": 0, "offset": 3, "reason": '"transfer" is not one of "card" or "invoice"'}]


class Worker(threading.Thread):
    """What `deedbox dlq work` says to a registry, without the Kafka between."""

    def __init__(self, url, cluster):
        super().__init__()
        self.cluster, self.ended, self.done = cluster, threading.Event(), []
        self.registry = RegistryClient(url, actor="worker")

    def run(self):
        while not self.ended.wait(0.2):
            for order in self.orders("asked", "confirmed"):
                self.carry_out(order["id"])

    def orders(self, *states):
        return list(self.registry.replay_orders(self.cluster, states))

    def carry_out(self, order):
        task = self.registry.claim_order(order, "worker-1", 60)["task"]
        said = {**FOUND, "worker": "worker-1", "examples": EXAMPLES, "error": None}
        self.registry.record_order_result(order, task, said)
        self.done.append(task)

    def end(self):
        self.ended.set()
        if self.is_alive():
            self.join(10)
        self.registry.close()


@pytest.fixture
def letters(shop):
    """A kind of dead letter in a cluster and a topic of its own (of one name), and where its page is."""
    topic, fingerprint = f"shop.{uuid4().hex[:8]}.dlt", "5be0a4c1f301"
    value = '{"payment_id": "b8f3c6be-6b0f-4a55-8f42-77f0f2a1c9d4", "method": "transfer"}'
    sample = {"partition": 0, "offset": 6, "at": 1_764_000_000_000, "key": "k", "value": value}
    group = {"fingerprint": fingerprint, "contract": "payments/payment-settled", "version": "2.0.0", "rule": "enum"}
    group |= {"pointer": "/method", "reason": "", "origin": topic.removesuffix(".dlt"), "count": 7, "samples": [sample]}
    report = {"cluster": topic, "topic": topic, "ranges": [{"partition": 0, "start": 0, "end": 7}], "groups": [group]}
    with RegistryClient(shop) as registry:
        registry.report_dead_letters(uuid4(), report)
    return topic, f"/dead-letters/{topic}/{fingerprint}"


@pytest.fixture
def worker(shop, letters):
    """A worker of that cluster, to be started when the test wants it."""
    made = Worker(shop, letters[0])
    yield made
    made.end()


def test_letters_are_tried_confirmed_and_sent_again(visit, letters, worker):
    tab = visit()
    page = tab.page
    tab.open("/dead-letters")
    page.locator("#groups tr", has_text=letters[0].removesuffix(".dlt")).get_by_role("link", name="enum").click()
    assert page.url.partition("?")[0].endswith(letters[1])
    assert page.get_by_role("heading", level=1).inner_text() == "7 dead letters: /method enum"
    assert "/method is none of the values that the contract lists" in page.locator(".lead").inner_text()
    assert page.locator("article .tag").inner_text().endswith("fails still")
    page.get_by_role("button", name="Dry run").click()
    page.wait_for_url("**/replay-orders/*")
    assert f"deedbox dlq work --topics {letters[0]}" in page.locator("#order").inner_text()
    worker.start()
    page.get_by_role("button", name="Send 4 again").wait_for()  # without being asked to look again
    would = page.locator("#order").inner_text()
    assert "4 letters would go back to where they came from" in would
    assert "3 letters would fail again and stay" in would
    assert EXAMPLES[0]["reason"] in would
    assert worker.done == ["dry-run"]
    page.get_by_role("button", name="Send 4 again").click()
    page.get_by_text("Done by worker-1").wait_for()
    assert "4 letters went back" in page.locator("#order").inner_text()
    assert worker.done == ["dry-run", "replay"]
    tab.keep("replay-order-done")
    page.get_by_role("link", name="audit feed").click()
    kinds = [row.split()[0] for row in page.locator("tbody .tag").all_inner_texts()]
    assert kinds == ["replay-confirmation", "replay-trial", "replay-order"]
    tab.open(f"{letters[1]}")
    assert "4 letters of this kind were sent again" in page.locator("#main").inner_text()


def test_without_javascript_and_with_a_double_click(visit, letters, worker):
    tab = visit(java_script_enabled=False)
    page = tab.page
    tab.open(letters[1])
    page.get_by_role("button", name="Dry run").dblclick()
    page.wait_for_url("**/replay-orders/*")
    page.get_by_role("button", name="Cancel the order").wait_for()
    assert len(worker.orders("asked")) == 1
    worker.start()
    tab.follow(page.get_by_role("link", name="Look again"))
    send = page.get_by_role("button", name="Send 4 again")
    tab.until_there(send)
    tab.follow(send)
    tab.until_there(page.get_by_text("Done by worker-1"))


def test_by_keyboard_alone(visit, letters, worker):
    tab = visit()
    page, keys = tab.page, tab.page.keyboard
    tab.open(letters[1])

    def press(name):
        for _ in range(60):
            keys.press("Tab")
            if page.evaluate("document.activeElement.textContent") == name:
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
                return keys.press("Enter")
        raise AssertionError(f"no way to {name}")

    press("Dry run")
    page.wait_for_url("**/replay-orders/*")
    worker.start()
    page.get_by_role("button", name="Send 4 again").wait_for()
    worker.ended.set()
    press("Send 4 again")
    page.get_by_text("It waits to be sent by a worker").wait_for()
    press("Cancel the order")
    page.get_by_text("Cancelled by").wait_for()


def test_the_pages_fit_a_phone_and_are_accessible(visit, letters, worker):
    desk, phone = visit(), visit(viewport={"width": 360, "height": 740}, color_scheme="dark")
    desk.open(letters[1])
    desk.page.get_by_role("button", name="Dry run").click()
    desk.page.wait_for_url("**/replay-orders/*")
    order = desk.page.url.removeprefix(desk.base)
    found = []
    for step in ("asked", "tried", "confirmed", "done"):
        if step in ("tried", "done"):
            worker.carry_out(order.rpartition("/")[2])
        if step == "confirmed":
            desk.follow(desk.page.get_by_role("button", name="Send 4 again"))
        for tab in (desk, phone):
            tab.open(order)
            tab.keep(f"replay-order-{step}{'-phone-dark' if tab is phone else ''}")
            found += faults(tab.page)
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360, step
    for name, path in {"dead-letters-fail": FAILING, "dead-letters-again": letters[1]}.items():
        for tab in (desk, phone):
            tab.open(path)
            tab.keep(f"{name}{'-phone-dark' if tab is phone else ''}")
            found += faults(tab.page)
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360, name
    assert not found, found


def test_hostile_letters_stay_text(visit, shop, letters):
    hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script>\u202e' + "long " * 200
    topic = letters[0]
    sample = {"partition": 0, "offset": 7, "at": -1, "key": hostile, "value": hostile}
    group = {"fingerprint": "ab/c?d#e", "rule": hostile[:90], "reason": hostile, "count": 1, "samples": [sample]}
    report = {"cluster": "c", "topic": topic, "ranges": [{"partition": 0, "start": 7, "end": 8}], "groups": [group]}
    with RegistryClient(shop) as registry:
        registry.report_dead_letters(uuid4(), report)
    tab = visit()
    tab.page.on("dialog", lambda dialog: tab.complaints.append(dialog.message) or dialog.dismiss())
    tab.open("/dead-letters")
    tab.page.locator("#groups").get_by_role("link", name=re.compile("onerror")).click()
    assert tab.page.locator("main img, main script").count() == 0
    tab.page.get_by_text("Value, ").click()
    assert "\\u202elong" in tab.page.locator("article pre").inner_text()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 1280
