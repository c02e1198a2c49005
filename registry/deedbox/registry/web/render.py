"""Rows as the API shows them."""

from __future__ import annotations

from typing import Any

from deedbox.registry.services.catalogue import ContractView, ServiceView
from deedbox.registry.services.deployments import DeploymentView
from deedbox.registry.services.values import Page, Published
from deedbox.registry.storage.schemas import guid_of


def publication(published: Published) -> dict[str, Any]:
    """One version."""
    version = published.version
    row = version.row
    return {
        "contract": row.contract,
        "service": row.service,
        "name": row.name,
        "version": row.version,
        "ordinal": row.ordinal,
        "digest": row.digest,
        "schema_digest": version.schema_digest,
        "schema_id": row.schema_id,
        "schema_guid": str(guid_of(version.schema_digest)),
        "id": row.uuid,
        "role": row.role,
        "kind": row.kind,
        "of": row.of,
        "channels": row.channels,
        "groups": row.groups,
        "content_model": row.content_model,
        "format": row.format,
        "dialect": row.dialect,
        "published_at": version.at,
        "by": version.by,
        "retired_at": version.retired_at,
        "retired_reason": version.retired_reason,
        "live": published.live,
        "bump": row.bump,
        "package": published.package,
        "drains": row.gate.get("drains", []),
    }


def published(made: Published) -> dict[str, Any]:
    """The answer to a publication: the version, what the gate said, and the job that releases it as a package."""
    return {
        **publication(made),
        "check": made.check.as_dict() if made.check is not None else None,
        "job": made.job,
    }


def contract(view: ContractView) -> dict[str, Any]:
    """One contract."""
    row = view.last.row
    return {
        "contract": row.contract,
        "service": row.service,
        "name": row.name,
        "role": row.role,
        "kind": row.kind,
        "of": row.of,
        "channels": row.channels,
        "groups": row.groups,
        "content_model": row.content_model,
        "format": row.format,
        "latest": publication(view.latest) if view.latest is not None else None,
        "versions": view.versions,
    }


def service(view: ServiceView) -> dict[str, Any]:
    """One service."""
    row, entry = view.described or (None, None)
    return {
        "service": view.name,
        "owner": row.owner if row else "",
        "description": row.description if row else "",
        "described_at": entry.at if entry else None,
        "by": entry.by if entry else None,
    }


def deployment(view: DeploymentView) -> dict[str, Any]:
    """One deployment."""
    row = view.row
    return {
        "id": row.uuid,
        "environment": row.environment,
        "service": row.service,
        "service_version": row.service_version,
        "contracts": row.contracts,
        "at": view.entry.at,
        "by": view.entry.by,
    }


def page(items: list[dict[str, Any]], source: Page) -> dict[str, Any]:
    """A stretch of a list."""
    return {"items": items, "next": source.next}
