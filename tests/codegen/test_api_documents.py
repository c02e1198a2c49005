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
