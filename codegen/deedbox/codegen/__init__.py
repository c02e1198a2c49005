"""A contract version as a package: typed classes, the schema, and a report of what the classes cannot say.

    code, whole = build(PackageRequest("billing/order-placed", "2.3.0", document))   # in a process of its own
    code    # the wheel of `billing-order-placed-v2` 2.3.0, with the code
    whole   # the wheel of `billing-order-placed` 2.3.0, which requires it

or, in this process, `wheel_bytes(build_package(request))`.

Two distributions, so that both majors of one contract can be installed side by side: the code of major 2 is the module
`billing_order_placed.v2` of `billing-order-placed-v2`. A service's contracts together are a third kind, see `bundle`.
"""

from __future__ import annotations

from deedbox.codegen.building import build
from deedbox.codegen.bundle import BundleRequest, Change, Member, build_bundle, released
from deedbox.codegen.errors import CodegenError
from deedbox.codegen.model import Fidelity, Obsolete, Package, PackageRequest, Style, Wheel
from deedbox.codegen.naming import bundle_name
from deedbox.codegen.obsolescence import history
from deedbox.codegen.package import build_package, umbrella
from deedbox.codegen.wheel import wheel_bytes

__all__ = [
    "BundleRequest",
    "Change",
    "CodegenError",
    "Fidelity",
    "Member",
    "Obsolete",
    "Package",
    "PackageRequest",
    "Style",
    "Wheel",
    "build",
    "build_bundle",
    "build_package",
    "bundle_name",
    "history",
    "released",
    "umbrella",
    "wheel_bytes",
]
