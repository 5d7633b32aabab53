"""Whether a provider's address can be reached: a connection and a TLS handshake, no request."""

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from worker.sender import tls_context

_PORTS = {"https": 443, "http": 80}


def why_not_reached(address: str, *, ca_file: Path | None, timeout_s: float) -> str | None:
    """What stands in the way; None where nothing does."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    try:
        context = tls_context(ca_file)  # as a call does, which fails without it at any address
    except OSError as failure:
        return f"CA file {ca_file} cannot be used ({type(failure).__name__})"
    try:
        with socket.create_connection((host, parts.port or _PORTS[parts.scheme]), timeout_s) as connection:
            if parts.scheme == "https":
                context.wrap_socket(connection, server_hostname=host).close()
    except ssl.SSLCertVerificationError as refused:
        return f"its certificate is not trusted ({refused.verify_message})"
    except (OSError, ValueError) as failure:  # ValueError: no host name
        return str(failure) or type(failure).__name__
    return None
