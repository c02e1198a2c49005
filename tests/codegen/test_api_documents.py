"""OpenAPI and AsyncAPI documents as packages."""

from __future__ import annotations

from typing import Any

import pytest
from deedbox.checker.errors import NotASchema, UnresolvedReference
from deedbox.codegen import PackageRequest, build_package
from deedbox.codegen.errors import DocumentNotPackageable
from deedbox.codegen.loading import loaded

OPENAPI: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/orders/{id}": {
            "get": {
                "operationId": "getOrder",
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["order"],
                                    "properties": {"order": {"$ref": "#/components/schemas/Order"}},
                                }
                            }
                        },
                    }
                },
            },
            "put": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
                "responses": {},
            },
        }
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "example": "a"},
                    "note": {"type": "string", "nullable": True},
                    "lines": {"type": "array", "items": {"$ref": "#/components/schemas/order-line"}},
                },
            },
            "order-line": {
                "type": "object",
                "properties": {
                    "quantity": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
                    "parent": {"$ref": "#/components/schemas/Order"},
                },
            },
        }
    },
}


def test_openapi_has_a_class_for_each_message() -> None:
    package = build_package(PackageRequest("shop/api", "1.2.0", OPENAPI, format="openapi"))
    assert package.classes == ("Order", "OrderLine", "GetOrderResponse200")
    assert package.fidelity.lossless
    with loaded(package.files, package.module) as module:
        order = module.parse('{"id": "a", "note": null, "lines": [{"quantity": 2}]}', module.Order)
        assert module.dump(order) == {"id": "a", "note": None, "lines": [{"quantity": 2}]}
        assert module.parse({"order": {"id": "q"}}, module.GetOrderResponse200).order.id == "q"
        with pytest.raises(module.ContractViolation):
            module.validate({"quantity": 0}, module.OrderLine)
        with pytest.raises(module.ContractViolation):
            module.validate({"id": None}, module.Order)


def test_asyncapi_has_a_class_for_each_payload() -> None:
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "Shop", "version": "1"},
        "channels": {
            "orders": {
                "messages": {
                    "order-placed": {
                        "payload": {"type": "object", "properties": {"id": {"$ref": "#/components/schemas/id"}}},
                        "examples": [{"payload": {"id": 4}}],
                    },
                    "other": {"payload": {"schemaFormat": "application/vnd.apache.avro", "schema": {"type": "int"}}},
                }
            }
        },
        "components": {"schemas": {"id": {"type": "integer"}}},
    }
    package = build_package(PackageRequest("shop/events", "1.2.0", document, format="asyncapi"))
    assert package.classes == ("Id", "OrderPlaced")
    assert b'{"Id":[],"OrderPlaced":[{"id":4}]}' in package.files["shop_events/v1/examples.json"]
    with loaded(package.files, package.module) as module:
        assert module.dump(module.parse('{"id": 3}', module.OrderPlaced)) == {"id": 3}


def test_asyncapi_2() -> None:
    message = {"name": "OrderPlaced", "payload": {"type": "object", "properties": {"id": {"type": "integer"}}}}
    document = {"asyncapi": "2.6.0", "channels": {"orders": {"publish": {"message": {"oneOf": [message]}}}}}
    assert build_package(PackageRequest("s/e", "1.0.0", document, format="asyncapi")).classes == ("OrderPlaced",)


@pytest.mark.parametrize("format", ["openapi", "asyncapi"])
def test_documents_that_are_none(format: str) -> None:
    with pytest.raises(NotASchema):
        build_package(PackageRequest("s/e", "1.0.0", {"type": "object"}, format=format))


def test_documents_without_messages_and_references_to_nowhere() -> None:
    with pytest.raises(DocumentNotPackageable, match="no message"):
        build_package(PackageRequest("s/e", "1.0.0", {"openapi": "3.1.0", "paths": {}}, format="openapi"))
    schemas = {"A": {"properties": {"b": {"$ref": "other.yaml#/B"}}}}
    with pytest.raises(UnresolvedReference, match="bundle"):
        build_package(
            PackageRequest("s/e", "1.0.0", {"openapi": "3.1.0", "components": {"schemas": schemas}}, format="openapi")
        )


def body(schema: Any, **more: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema, **more}}}


def ref(*place: str) -> dict[str, str]:
    return {"$ref": "#/components/" + "/".join(place)}


BOOKSHOP: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Bookshop", "version": "7", "description": "Sells books."},
    "paths": {
        "/books": {
            "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
            "get": {
                "operationId": "listBooks",
                "responses": {
                    "200": body({"type": "array", "items": ref("schemas", "Book")}),
                    "default": ref("responses", "Failure"),
                },
            },
            "post": {
                "operationId": "addBook",
                "requestBody": ref("requestBodies", "NewBook"),
                "responses": {"201": body(ref("schemas", "Book")), "400": ref("responses", "Failure")},
            },
        },
        "/books/{isbn}/cover": {
            "put": {
                "requestBody": {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}},
                "responses": {"204": {"description": ""}},
            },
            "get": {"responses": {"200": body({"type": "object", "properties": {"url": {"type": "string"}}})}},
        },
        "/payments": {"$ref": "#/components/pathItems/payments"},
    },
    "webhooks": {
        "bookSold": {"post": {"requestBody": body({"type": "object", "properties": {"isbn": {"type": "string"}}})}}
    },
    "components": {
        "schemas": {
            "Book": {
                "type": "object",
                "required": ["isbn", "title"],
                "properties": {
                    "isbn": {"type": "string", "pattern": "^[0-9]{13}$", "readOnly": True},
                    "title": {"type": "string", "minLength": 1},
                    "subtitle": {"type": ["string", "null"]},
                    "price": ref("schemas", "Money"),
                    "genre": {"type": "string", "enum": ["novel", "science", "comic"]},
                    "related": {"type": "array", "items": ref("schemas", "Book")},
                    "author": {"type": "string", "deprecated": True, "description": "Use authors."},
                },
                "examples": [{"isbn": "9780140449136", "title": "Emma", "genre": "novel"}],
            },
            "Money": {
                "type": "object",
                "required": ["amount", "currency"],
                "properties": {"amount": {"type": "integer", "minimum": 0}, "currency": {"type": "string"}},
            },
            "Payment": {
                "oneOf": [ref("schemas", "CardPayment"), ref("schemas", "TransferPayment")],
                "discriminator": {"propertyName": "kind"},
            },
            "PaymentBase": {
                "type": "object",
                "required": ["kind"],
                "properties": {"kind": {"type": "string"}, "of": ref("schemas", "Money")},
            },
            "CardPayment": {
                "allOf": [
                    ref("schemas", "PaymentBase"),
                    {"required": ["card"], "properties": {"kind": {"const": "card"}, "card": {"type": "string"}}},
                ]
            },
            "TransferPayment": {
                "allOf": [
                    ref("schemas", "PaymentBase"),
                    {"required": ["iban"], "properties": {"kind": {"const": "transfer"}, "iban": {"type": "string"}}},
                ]
            },
            "Error": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}},
        },
        "requestBodies": {
            "NewBook": {
                "content": {
                    media: {
                        "schema": {"allOf": [ref("schemas", "Book"), {"properties": {"stock": {"type": "integer"}}}]}
                    }
                    for media in ("application/json", "application/vnd.books+json")
                }
            }
        },
        "responses": {"Failure": body({"type": "object", "properties": {"error": ref("schemas", "Error")}})},
        "pathItems": {"payments": {"post": {"operationId": "pay", "requestBody": body(ref("schemas", "Payment"))}}},
    },
}


@pytest.mark.parametrize("style", ["pydantic", "dataclass", "typeddict"])
def test_a_whole_api(style: Any) -> None:
    package = build_package(PackageRequest("shop/books", "7.1.0", BOOKSHOP, format="openapi", style=style))
    assert package.classes == (
        "Book", "Money", "Payment", "PaymentBase", "CardPayment", "TransferPayment", "Error",
        "ListBooksResponse200", "FailureResponse", "NewBookRequest", "GetBooksIsbnCoverResponse200", "BookSoldRequest",
    )  # fmt: skip
    assert package.fidelity.lossless, package.fidelity.loosened
    assert [o.sentence for o in package.obsolete] == ["author is obsolete since 7.1.0: Use authors."]
    card = {"kind": "card", "card": "4242", "of": {"amount": 5, "currency": "EUR"}}
    book = {"isbn": "9780140449136", "title": "Emma", "subtitle": None, "related": []}
    with loaded(package.files, package.module) as module:
        assert module.dump(module.parse(card, module.Payment), module.Payment) == card
        assert not module.is_valid({"kind": "card", "iban": "x"}, module.Payment)
        books = module.parse([book, {**book, "related": [book]}], module.ListBooksResponse200)
        assert module.dump(books, module.ListBooksResponse200) == [book, {**book, "related": [book]}]
        assert module.is_valid({**book, "stock": 3}, module.NewBookRequest)
        assert not module.is_valid({**book, "stock": "3"}, module.NewBookRequest)
        assert not module.is_valid({"isbn": "1", "title": "x"}, module.Book)


def test_swagger_2() -> None:
    document = {
        "swagger": "2.0",
        "info": {"title": "Pets", "version": "1"},
        "paths": {
            "/pets": {
                "post": {
                    "operationId": "addPet",
                    "parameters": [
                        {"in": "body", "name": "pet", "schema": {"properties": {"age": {"type": "integer"}}}}
                    ],
                    "responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Pet"}}},
                }
            }
        },
        "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }
    package = build_package(PackageRequest("shop/pets", "1.0.0", document, format="openapi"))
    assert package.classes == ("Pet", "AddPetRequest")
    assert package.fidelity.lossless


def test_a_whole_event_api() -> None:
    order = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "lines": {"$ref": "#/components/schemas/Lines"}},
    }
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "Orders", "version": "2"},
        "channels": {
            "orders": {
                "address": "shop.orders",
                "messages": {
                    "placed": {"$ref": "#/components/messages/OrderPlaced"},
                    "cancelled": {"$ref": "#/components/messages/OrderCancelled"},
                    "inline-note": {"payload": {"type": "string", "minLength": 1}},
                },
            },
        },
        "operations": {"sendPlaced": {"action": "send", "channel": {"$ref": "#/channels/orders"}}},
        "components": {
            "messages": {
                "OrderPlaced": {
                    "payload": {"$ref": "#/components/schemas/Order"},
                    "examples": [{"payload": {"id": "from-the-message"}}],
                },
                "OrderCancelled": {
                    "payload": {
                        "type": "object",
                        "required": ["order"],
                        "properties": {
                            "order": {"$ref": "#/components/schemas/Order"},
                            "why": {"enum": ["customer", "stock"]},
                            "reason": {"type": "string", "deprecated": True, "description": "Use why."},
                        },
                    }
                },
            },
            "schemas": {"Order": order, "Lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}},
        },
    }  # fmt: skip
    package = build_package(PackageRequest("orders/events", "2.0.0", document, format="asyncapi"))
    assert package.classes == ("Order", "Lines", "OrderPlaced", "OrderCancelled", "InlineNote")
    assert package.fidelity.lossless
    with loaded(package.files, package.module) as module:
        assert module.OrderPlaced is module.Order, "the message is called as its schema is, and by its own name"
        assert "OrderPlaced" in module.__all__
        placed = module.parse('{"id": "a", "lines": [{"sku": "b"}]}', module.OrderPlaced)
        assert module.dump(placed) == {"id": "a", "lines": [{"sku": "b"}]}
        assert "from-the-message" in module._contract_.resource("examples.json")
        with pytest.warns(DeprecationWarning, match="Use why"):
            assert module.parse({"order": {"id": "a"}, "reason": "x"}, module.OrderCancelled).reason == "x"
        assert not module.is_valid("", module.InlineNote)
