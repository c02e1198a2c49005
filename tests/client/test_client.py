"""The client against answers of every kind: what it asks, what it retries, what it raises."""

import json
from decimal import Decimal
from uuid import UUID

import httpx2
import pytest
from deedbox.client import (
    InvalidUrl,
    Problem,
    RegistryClient,
    RegistryUnavailable,
    UnexpectedReply,
    is_unavailable,
)
from deedbox.client.transport import Patience, Transport

RESULT = {
    "contract": "billing/order-placed",
    "role": "consumes",
    "verdict": "breaking",
    "bump": "major",
    "previous": "1.2.0",
    "declared": "1.3.0",
    "needed": "2.0.0",
    "allowed": False,
    "allowed_by": "",
    "refusals": [{"code": "version-too-low", "message": "this needs 2.0.0, you said 1.3.0", "findings": ["3f9a"]}],
    "comparison": {
        "verdict": "breaking",
        "bump": "major",
        "role": "consumes",
        "content_model": "tolerant",
        "backward": {"holds": False, "proof": "", "reason": "", "witness": {"value": None, "why": "null is no object"}},
        "forward": {"holds": True, "proof": "algebra", "reason": "", "witness": None},
        "findings": [
            {
                "rule": "type-narrowed",
                "kind": "inclusion",
                "pointer": "/properties/total",
                "location": "/$defs/money",
                "level": "breaking",
                "direction": "backward",
                "message": "no",
                "witness": {"value": {"total": 0.1}, "why": "0.1 is no integer"},
                "fingerprint": "3f9a",
                "side": "old",
            }
        ],
    },
    "links": [
        {
            "producer": "orders/order-placed",
            "producer_version": "2.3.0",
            "consumer": "billing/order-placed",
            "consumer_version": "1.3.0",
            "channel": "shop.orders",
            "holds": None,
            "reason": "a backreference",
            "witness": None,
        }
    ],
}


class Server:
    """Answers in turn, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.requests, self.pauses = list(answers), [], []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        kind = "application/json" if status < 300 else "application/problem+json"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.Response(
            status, content=content, headers={"content-type": kind, **(headers[0] if headers else {})}
        )

    def client(self, url="http://registry.example", attempts=3):
        transport = Transport(
            url,
            {"Deedbox-Actor": "ada"},
            Patience(attempts=attempts, base=0.5, most=4.0),
            transport=httpx2.MockTransport(self),
            sleep=self.pauses.append,
        )
        return RegistryClient(url, transport=transport)


def test_a_check_is_read_as_values_with_exact_numbers():
    server = Server((200, {"allowed": False, "results": [RESULT]}))
    (result,) = server.client().check([{"contract": "billing/order-placed", "schema": "{}"}], [{"fingerprint": "a"}])
    assert result.refusals[0].findings == ("3f9a",)
    assert result.difference.backward.witness.value is None
    (finding,) = result.difference.findings
    assert (finding.side, finding.location) == ("old", "/$defs/money")
    assert finding.witness.value["total"] == Decimal("0.1")
    assert result.links[0].holds is None
    sent = json.loads(server.requests[0].content)
    assert sent == {
        "contracts": [{"contract": "billing/order-placed", "schema": "{}", "accepted": [{"fingerprint": "a"}]}]
    }
    assert str(server.requests[0].url) == "http://registry.example/api/v1/check"
    assert server.requests[0].headers["deedbox-actor"] == "ada"


def test_a_first_publication_has_no_comparison():
    first = RESULT | {
        "verdict": "new",
        "comparison": None,
        "previous": None,
        "allowed": True,
        "refusals": [],
        "links": [],
    }
    (result,) = Server((200, {"results": [first]})).client().check([{}])
    assert result.difference is None
    assert result.allowed is True


def test_publish_says_whether_a_row_was_written():
    server = Server((201, {"version": "1.0.0"}), (200, {"version": "1.0.0"}))
    client = server.client()
    assert client.publish("a/b", {"schema": "{}"}, if_match='"7"')["created"] is True
    assert server.requests[0].headers["if-match"] == '"7"'
    assert client.publish("a/b", {"schema": "{}"})["created"] is False
    assert "if-match" not in server.requests[1].headers
    assert server.requests[1].url.path == "/api/v1/contracts/a/b/versions"


def test_names_cannot_leave_their_place_in_the_path():
    server = Server((200, {}))
    client = server.client()
    for name in ("a b/c?d#e", "../x", "a/..", "%2F/x"):
        client.contract(name)
    asked = [request.url.raw_path for request in server.requests]
    assert asked == [
        b"/api/v1/contracts/a%20b/c%3Fd%23e",
        b"/api/v1/contracts/%2E%2E/x",
        b"/api/v1/contracts/a/%2E%2E",
        b"/api/v1/contracts/%252F/x",
    ]


def test_what_is_not_there_is_none():
    client = Server((404, {"code": "not-found", "title": "not found"})).client()
    assert client.contract("a/b") is None
    assert client.publication("a/b", "1.0.0") is None


def test_pages_are_followed_to_the_end():
    server = Server((200, {"items": [{"n": 1}, {"n": 2}], "next": "c 1"}), (200, {"items": [{"n": 3}], "next": None}))
    assert [item["n"] for item in server.client().versions("a/b")] == [1, 2, 3]
    assert "after" not in server.requests[0].url.params
    assert server.requests[1].url.params["after"] == "c 1"


def test_deployments():
    server = Server((200, {"allowed": True, "links": []}))
    client = server.client()
    id_ = UUID(int=7)
    client.record_deployment(id_, environment="prod", service="a", service_version="2", contracts={"b": "1.0.0"})
    assert server.requests[0].method == "PUT"
    assert server.requests[0].url.path == f"/api/v1/deployments/{id_}"
    client.can_i_deploy(environment="prod", service="a", contracts={"b": "1.0.0"})
    assert dict(server.requests[1].url.params) == {"service": "a", "environment": "prod", "contracts": "b=1.0.0"}


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("cut off"),
        (503, {"code": "storage-unavailable"}),
        (429, {"code": "busy"}),
        (502, b"bad gateway", {"content-type": "text/html"}),
    ],
)
def test_a_passing_failure_is_tried_again(failure):
    server = Server(failure, failure, (200, {"items": [], "next": None}))
    assert list(server.client().links()) == []
    assert len(server.requests) == 3
    assert len(server.pauses) == 2


def test_pauses_grow_are_jittered_and_heed_the_server():
    patience = Patience(base=1.0, most=4.0)
    for attempt, most in ((0, 1.0), (1, 2.0), (2, 4.0), (9, 4.0)):
        pauses = [patience.pause(attempt, None) for _ in range(200)]
        assert 0 <= min(pauses) <= max(pauses) <= most
        assert len(set(pauses)) > 100
    assert patience.pause(0, 2.0) >= 2.0
    assert patience.pause(0, 3600.0) <= 5.0
    server = Server((503, {"code": "busy"}, {"Retry-After": "2"}), (200, {}))
    server.client().contract("a/b")
    assert server.pauses[0] >= 2.0


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (httpx2.ConnectError("refused"), "refused"),
        (httpx2.ConnectTimeout("x"), "the connection timed out"),
        (httpx2.ReadTimeout("x"), "the answer timed out"),
        (((503, b"<html>", {"content-type": "text/html"})), "status 503"),
    ],
)
def test_no_answer_after_every_attempt_is_unavailable(failure, reason):
    server = Server(failure)
    with pytest.raises(RegistryUnavailable, match=reason) as caught:
        server.client().check([{}])
    assert len(server.requests) == 3
    assert is_unavailable(caught.value)
    assert "http://registry.example" in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 422, 500])
def test_a_refusal_is_a_problem_and_is_not_asked_again(status):
    body = {
        "type": "/problems/x",
        "code": "x",
        "title": "t",
        "detail": "why",
        "source": "s",
        "pointer": "/a",
        "line": 3,
    }
    server = Server((status, body))
    with pytest.raises(Problem) as caught:
        server.client().publish("a/b", {})
    assert len(server.requests) == 1
    problem = caught.value
    assert (problem.status, problem.code, problem.detail, problem.fields["line"]) == (status, "x", "why", 3)
    assert str(problem) == f"s:3 at /a: why (x, {status})"
    assert is_unavailable(problem) is (status >= 500)


def test_a_problem_without_a_code_goes_by_its_type():
    with pytest.raises(Problem) as caught:
        Server((422, {"type": "/problems/too-large", "title": "Too large"})).client().publish("a/b", {})
    assert caught.value.code == "too-large"
    assert "Too large" in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>hello</html>", {"content-type": "text/html"}),
        (200, b"[" * 100_000),
        (200, {"results": [{"contract": "a/b"}]}),
        (200, {"results": 7}),
        (200, []),
        (404, b"nope", {"content-type": "text/plain"}),
        (302, b"", {"location": "http://login.example", "content-type": "text/html"}),
    ],
)
def test_an_answer_that_no_registry_gives_is_said_to_be_one(answer):
    with pytest.raises(UnexpectedReply) as caught:
        Server(answer).client().check([{}])
    assert "http://registry.example" in str(caught.value)
    assert is_unavailable(caught.value)


@pytest.mark.parametrize("url", ["registry.example", "ftp://x", "http://", "", "http://a:b"])
def test_an_address_that_is_none_is_refused_at_once(url):
    with pytest.raises(InvalidUrl):
        RegistryClient(url)


def test_any_actor_can_be_said_in_a_header():
    with RegistryClient("http://127.0.0.1:9", actor="Ada Łovelace\r\nX: y") as client:
        assert client._transport._client.headers["deedbox-actor"] == "Ada %C5%81ovelace%0D%0AX: y"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"detail": "no such field", "pointer": "/a"}, "at /a: no such field (x, 422)"),
        ({"detail": "/a: no such field", "pointer": "/a"}, "/a: no such field (x, 422)"),
        ({"detail": "/ab: is no text", "pointer": "/a"}, "at /a: /ab: is no text (x, 422)"),
        ({"detail": "no object", "pointer": ""}, "at the root: no object (x, 422)"),
    ],
)
def test_a_problem_says_its_place_once(fields, said):
    assert str(Problem(422, {"code": "x", **fields}, url="")) == said
