"""What a database is, beside its contents: what ``pg_dump`` writes with ``--create`` alone.

A restore does not use ``--create``, as it fills a database of another name; so these are recorded in the manifest and
given to the restored database by us.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_TABLESPACE = "pg_default"
NO_LIMIT = -1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Locale(_Part):
    """How text is sorted, compared and changed in case.

    https://www.postgresql.org/docs/current/locale.html#LOCALE-PROVIDERS
    """

    provider: str = Field(pattern="^(libc|icu|builtin)$")
    collate: str = Field(description="pg_database.datcollate")
    ctype: str = Field(description="pg_database.datctype")
    name: str | None = Field(default=None, description="locale of the provider, where that is not libc")
    rules: str | None = Field(default=None, description="further ICU rules")
    version: str | None = Field(default=None, description="version of the collation that the database was made with")

    def __str__(self) -> str:
        named = f"{self.provider} {self.name!r}" if self.name is not None else f"libc {self.collate!r}"
        return named + (f" with rules {self.rules!r}" if self.rules else "")


class Setting(_Part):
    """One ``ALTER DATABASE ... SET``, or ``ALTER ROLE ... IN DATABASE ... SET`` where a role is named."""

    role: str | None
    name: str
    value: str


class Grant(_Part):
    """One right on the database."""

    grantee: str | None = Field(description="None: everybody (PUBLIC)")
    grantor: str | None = Field(description="None: the owner, whoever that is")
    privilege: str = Field(pattern="^[A-Z]+( [A-Z]+)*$")
    grantable: bool


class Label(_Part):
    """One security label of the database."""

    provider: str
    label: str


class DatabaseProperties(_Part):
    """The properties of one database."""

    encoding: str
    locale: Locale
    owner: str | None = Field(default=None, description="None: not recorded")
    tablespace: str = DEFAULT_TABLESPACE
    connection_limit: int = NO_LIMIT
    template: bool = Field(default=False, description="pg_database.datistemplate")
    accepts_connections: bool = Field(default=True, description="pg_database.datallowconn")
    comment: str | None = None
    labels: tuple[Label, ...] = ()
    settings: tuple[Setting, ...] = Field(default=(), description="in the order in which they were made")
    grants: tuple[Grant, ...] | None = Field(
        default=None, description="rights in the order of pg_database.datacl; None: those of every new database"
    )
    unreadable: tuple[str, ...] = Field(
        default=(), description="what is left out here, as its text is in another encoding than the database's"
    )

    @property
    def roles(self) -> frozenset[str]:
        """Roles that these name."""
        granted = {name for grant in self.grants or () for name in (grant.grantee, grant.grantor)}
        found = {self.owner} | granted | {setting.role for setting in self.settings}
        return frozenset(name for name in found if name is not None)

    @property
    def acting_roles(self) -> frozenset[str]:
        """Roles in whose name something is to be said: the owner, and who else has granted a right."""
        found = {self.owner} | {grant.grantor for grant in self.grants or ()}
        return frozenset(name for name in found if name is not None)

    def completed(self, recorded: DatabaseProperties | None, *, owned_by_chance: bool) -> DatabaseProperties:
        """What an empty database is to be: what somebody has chosen for it, and for the rest what was recorded.

        The one that RDS makes with an instance is such a database.

        Args:
            recorded: of the database that is restored into it.
            owned_by_chance: whether its owner is only whoever made it, and the recorded one can follow.
        """
        if recorded is None:
            return self
        if not (owned_by_chance and recorded.owner is not None):
            recorded = recorded.restricted(owner=False, privileges=True).model_copy(update={"owner": self.owner})
        chosen = {(setting.role, setting.name) for setting in self.settings}
        labelled = {label.provider for label in self.labels}
        return self.model_copy(
            update={
                "owner": recorded.owner,
                "connection_limit": recorded.connection_limit
                if self.connection_limit == NO_LIMIT
                else self.connection_limit,
                "template": self.template or recorded.template,
                "comment": recorded.comment if self.comment is None else self.comment,
                "labels": (*self.labels, *(each for each in recorded.labels if each.provider not in labelled)),
                "settings": (
                    *self.settings,
                    *(each for each in recorded.settings if (each.role, each.name) not in chosen),
                ),
                "grants": recorded.grants if self.grants is None else self.grants,
                "unreadable": (*self.unreadable, *recorded.unreadable),
            }
        )

    def restricted(self, *, owner: bool, privileges: bool) -> DatabaseProperties:
        """The same without ownership, or without grants.

        Whoever owns the database then grants what the recorded owner had granted.
        """
        grants = self.grants if privileges else None
        if owner:
            return self.model_copy(update={"grants": grants})
        if grants is not None:
            grants = tuple(
                grant.model_copy(update={"grantor": None if grant.grantor == self.owner else grant.grantor})
                for grant in grants
                if grant.grantee != self.owner
            )
        return self.model_copy(update={"owner": None, "grants": grants})
