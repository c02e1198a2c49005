"""TLS for kafka-python: one context for all its clients, and why a cluster does not take them.

It begins a handshake that was refused again and again for half a minute, and then says no more than that it has not begun.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from deedbox.kafka.errors import BrokerUnavailable

_SECONDS = 5.0
_API_VERSIONS = b"\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff"
"""A request of which versions the broker speaks: size, key 18, version 0, correlation id 1, no client id. Anybody may ask,
and only an answer says that the broker took the client's certificate, or did without one (RFC 8446, §4.4.2.4)."""


def context(config: Mapping[str, Any]) -> ssl.SSLContext:
    """What kafka-python makes of its settings.

    Args:
        config: by its names: `ssl_cafile`, `ssl_certfile`, `ssl_keyfile`, `ssl_password`, `ssl_crlfile`,
            `ssl_check_hostname`, `ssl_ciphers`. An `ssl_context` goes before all of them.

    Raises:
        OSError: a file cannot be used.
    """
    given = config.get("ssl_context")
    if isinstance(given, ssl.SSLContext):
        return given
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.check_hostname = config.get("ssl_check_hostname", True)
    if config.get("ssl_cafile"):
        made.load_verify_locations(config["ssl_cafile"])
    else:
        made.load_default_certs()
    if config.get("ssl_certfile"):
        made.load_cert_chain(config["ssl_certfile"], config.get("ssl_keyfile"), config.get("ssl_password"))
    if config.get("ssl_crlfile"):
        made.load_verify_locations(config["ssl_crlfile"])
        made.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    if config.get("ssl_ciphers"):
        made.set_ciphers(config["ssl_ciphers"])
    return made


def handshaken(config: Mapping[str, Any]) -> dict[str, Any]:
    """kafka-python's settings with the context that they make, once it was tried on the cluster that they name.

    Raises:
        BrokerUnavailable: a file cannot be used, or as `check`.
    """
    if not str(config.get("security_protocol", "")).endswith("SSL"):
        return dict(config)
    try:
        made = context(config)
    except OSError as error:
        raise BrokerUnavailable(f"the files for TLS cannot be used: {error}") from error
    check(config["bootstrap_servers"], made)
    return {**config, "ssl_context": made}


def check(addresses: Sequence[str], made: ssl.SSLContext) -> None:
    """Shakes hands with a cluster.

    Args:
        addresses: `host:port`. One that answers is enough, and those that cannot be reached are none of this.

    Raises:
        BrokerUnavailable: those that answer refuse the handshake, or this client refuses them; it says why.
    """
    refused = ""
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            connection = socket.create_connection((host.strip("[]"), int(port)), _SECONDS)
        except (OSError, ValueError):
            continue
        with connection:
            try:
                with made.wrap_socket(connection, server_hostname=host.strip("[]")) as secure:
                    secure.sendall(_API_VERSIONS)
                    if secure.recv(1):
                        return
                    said = "it ended the connection"
            except TimeoutError:
                return  # it is slow: whether it refuses is for the client to find out, which waits longer
            except OSError as error:
                said = _said(error)
        refused = refused or f"{address}: no TLS connection: {said}"
    if refused:
        raise BrokerUnavailable(refused)


def _said(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the broker's certificate is not trusted: {error.verify_message.rstrip('.')}. Look at ssl.ca.location, and whether the "
            "address is a name that the certificate has"
        )
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        alert = (error.reason or "").lower().replace("_", " ")
        return f"the broker refuses it ({alert}). Look at ssl.certificate.location and ssl.key.location"
    reason = (error.reason or "").lower().replace("_", " ") if isinstance(error, ssl.SSLError) else error.strerror
    return f"{reason or type(error).__name__}. Does it speak TLS at this port? Look at security.protocol"
