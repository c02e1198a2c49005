"""What a search finds in documents, and in which order."""

from __future__ import annotations

import json
import random
from typing import Any

from deedbox.registry.services.browsing.words import words_of

from tests.registry.conftest import STRING, Api, record

SENT = {"role": "produces", "kind": "event", "channels": ["shop.claims"]}


def found(value: Any, *wanted: str) -> list[tuple[str, str]]:
    words = words_of(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
    return sorted((word.name, word.pointer) for word in words.having(wanted))


def test_words_are_found_in_names_and_descriptions_and_never_across_two_fields() -> None:
    value = record(
        alpha={**STRING, "description": "The first\nof Ünï letters"},
        **{"be/ta~": {**STRING, "title": "Second"}, "new\nline": STRING, "gam\0ma": STRING},
    )
    assert found(value, "alpha") == [("alpha", "/properties/alpha")]
    assert found(value, "first", "alp", "ünï") == [("alpha", "/properties/alpha")]
    assert found(value, "second") == [("be/ta~", "/properties/be~1ta~0")]
    assert found(value, "line") == [("new\nline", "/properties/new\nline")]
    assert found(value, "gam") == [("gam\0ma", "/properties/gam\0ma")]
    assert found(value, "alpha", "second") == []
    assert found(value, "nothing") == []
    assert found(True, "true") == []


def test_having_is_what_looking_at_each_word_would_find() -> None:
    chance = random.Random(7)
    letters = ["a", "b", "ab", "ba", "\n", " ", "A", "é"]
    for _ in range(200):
        value = record(
            **{
                "".join(chance.choices(letters, k=3)): {"description": "".join(chance.choices(letters, k=5))}
                for _ in range(chance.randrange(12))
            }
        )
        wanted = ["".join(chance.choices("abé", k=chance.randrange(1, 3))) for _ in range(chance.randrange(1, 3))]
        expected = sorted(
            (name, f"/properties/{name}")
            for name, told in value["properties"].items()
            if all(w in name.lower() or w in told["description"].strip().lower() for w in wanted)
        )
        assert found(value, *wanted) == expected, (value, wanted)


def test_operations_and_parameters_of_an_api_are_found() -> None:
    parameter = {"name": "pageSize", "in": "query", "schema": {"type": "integer"}, "description": "How many pets"}
    operation = {"operationId": "listPets", "summary": "All of them", "parameters": [parameter], "responses": {}}
    api = {"openapi": "3.1.0", "info": {"title": "Clinic", "version": "1"}, "paths": {"/pets": {"get": operation}}}
    assert found(api, "listpets") == [("GET /pets", "/paths/~1pets/get")]
    assert found(api, "pagesize") == [("pageSize", "/paths/~1pets/get/parameters/0/schema")]
    assert words_of(json.dumps(api)).whole == "Clinic"


def test_what_is_found_leads_to_its_place_on_the_page(api: Api) -> None:
    value = record(policy={"$ref": "#/$defs/policy"}) | {"$defs": {"policy": record(holder=STRING)}}
    api.publish("claims/filed", value, **SENT)
    (field,) = api.client.get("/search.json?q=holder").json["fields"]
    assert field["pointer"] == "/$defs/policy/properties/holder"
    page = api.client.get("/contracts/claims/filed", headers={"Accept": "text/html"}).text
    assert f'id="{field["pointer"]}"' in page, "the row is found by where it is written, too"
    assert 'id="/properties/policy/properties/holder"' in page


def test_the_best_comes_first(api: Api) -> None:
    for name, text in (("order-extra", ""), ("preorder", ""), ("other", "about an order"), ("order", "")):
        api.publish(f"shop/{name}", {**record(), "title": text}, **SENT)
    assert [c["contract"] for c in api.client.get("/search.json?q=order").json["contracts"]] == [
        "shop/order", "shop/order-extra", "shop/preorder", "shop/other",
    ]  # fmt: skip
