"""What a restore wants to know of its rights on a server, and the answers."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Questions:
    """What is tried before anything is done, in a transaction that is taken back.

    Attributes:
        role_statements: what would create the missing roles, in order.
        acting: roles that the restore must act as.
        settings: names of settings that functions of the archive fix.
        label_providers: providers of security labels.
    """

    role_statements: tuple[str, ...] = ()
    acting: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    label_providers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rights:
    """What we may do on a server.

    Attributes:
        superuser: everything.
        managed: whether we are a member of RDS's ``rds_superuser``, to whom that platform gives some more.
        writes_all: whether we may write every table, extensions' own among them.
        acting: of the roles asked for, those that we can act as, some by a membership taken for the time.
        refused: statements asked about that the server refuses, with its words.
        settings: of those asked for, the ones that we may set.
        label_providers: of those asked for, the ones that the server has loaded.
        extensions: extensions that we may create, with the comment that the server gives each.
        languages: languages that we may write functions in.
        tablespaces: tablespaces that we may use.
        bound_extensions: extensions that live in one database of the server, with its name.
    """

    superuser: bool
    managed: bool = False
    writes_all: bool = False
    acting: frozenset[str] = frozenset()
    refused: dict[str, str] = field(default_factory=dict)
    settings: frozenset[str] = frozenset()
    label_providers: frozenset[str] = frozenset()
    extensions: dict[str, str] = field(default_factory=dict)
    languages: frozenset[str] = frozenset()
    tablespaces: frozenset[str] = frozenset()
    bound_extensions: dict[str, str] = field(default_factory=dict)
