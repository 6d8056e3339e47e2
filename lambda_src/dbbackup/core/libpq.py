"""The parameters of a connection, as libpq knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

VARIABLES: Final[Mapping[str, str | None]] = {
    "service": "PGSERVICE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "dbname": "PGDATABASE",
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "client_encoding": "PGCLIENTENCODING",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
    "fallback_application_name": None,
    "keepalives": None,
    "keepalives_idle": None,
    "keepalives_interval": None,
    "keepalives_count": None,
    "tcp_user_timeout": None,
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslcompression": "PGSSLCOMPRESSION",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcertmode": "PGSSLCERTMODE",
    "sslpassword": None,
    "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL",
    "sslcrldir": "PGSSLCRLDIR",
    "sslsni": "PGSSLSNI",
    "requirepeer": "PGREQUIREPEER",
    "require_auth": "PGREQUIREAUTH",
    "min_protocol_version": "PGMINPROTOCOLVERSION",
    "max_protocol_version": "PGMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "gssencmode": "PGGSSENCMODE",
    "krbsrvname": "PGKRBSRVNAME",
    "gsslib": "PGGSSLIB",
    "gssdelegation": "PGGSSDELEGATION",
    "replication": None,
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "scram_client_key": None,
    "scram_server_key": None,
    "oauth_issuer": None,
    "oauth_client_id": None,
    "oauth_client_secret": None,
    "oauth_scope": None,
    "sslkeylogfile": None,
}
"""Every parameter, and the environment variable that stands for it; None where there is none.

https://www.postgresql.org/docs/current/libpq-envars.html
"""
SECRET: Final = frozenset({"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})
"""Parameters that nobody else may read."""
OURS: Final = frozenset({"application_name", "fallback_application_name", "client_encoding", "replication"})
"""Parameters that we choose, whatever a URL says: our sessions are named, read UTF-8, and replicate nothing."""
SSLMODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-SSLMODE"""
_SSLMODES_OF_OTHERS: Final = {
    "no-verify": "require",  # node-postgres: encrypted, the certificate not looked at
    "required": "require",
    "true": "require",
    "1": "require",
    "preferred": "prefer",
    "disabled": "disable",
    "verifyca": "verify-ca",
    "verifyfull": "verify-full",
    "verifyidentity": "verify-full",
}


def sslmode_meant(value: str) -> str | None:
    """libpq's word for an sslmode, which may be another driver's; None where it is no driver's.

    https://node-postgres.com/features/ssl, https://www.npgsql.org/doc/security.html
    """
    plain = value.lower()
    if plain in SSLMODES:
        return plain
    return _SSLMODES_OF_OTHERS.get(plain) or _SSLMODES_OF_OTHERS.get(plain.replace("-", "").replace("_", ""))
