"""Whether what S3 says of the bucket is still what was declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dbbackup.contract import KIND_DUMP, TAG_KIND
from dbbackup.contract_watch import WatchedSetting
from dbbackup.core.declared import DeclaredLock, DeclaredTier
from dbbackup.core.drift import Drift
from dbbackup.core.watch_ports import Lock

Rule = Mapping[str, Any]
"""A rule as GetBucketLifecycleConfiguration answers it."""
_STRICTNESS: Final = {"GOVERNANCE": 1, "COMPLIANCE": 2}


def versioning_drift(declared: str, found: str) -> Drift | None:
    """Versioning that is not on."""
    if found == declared:
        return None
    return Drift(WatchedSetting.BUCKET_VERSIONING, declared, found)


def lock_drift(declared: DeclaredLock, found: Lock | None) -> Drift | None:
    """A default retention that is shorter or laxer, or none; a longer or stricter one is no drift."""
    if found and found.days >= declared.days and _STRICTNESS.get(found.mode, 0) >= _STRICTNESS[declared.mode]:
        return None
    said = f"{found.mode} for {found.days} days" if found else "no default retention"
    return Drift(WatchedSetting.BUCKET_LOCK, f"{declared.mode} for {declared.days} days", said)


def public_access_drift(found: Mapping[str, bool]) -> Drift | None:
    """Blocks of public access that are off."""
    off = sorted(name for name, on in found.items() if not on)
    if not off:
        return None
    return Drift(WatchedSetting.BUCKET_PUBLIC_ACCESS, "all four blocks on", f"off: {', '.join(off)}")


def lifecycle_drift(declared: Mapping[str, DeclaredTier], rules: Sequence[Rule]) -> Drift | None:
    """Tiers for which the rules come to something else, sooner or later, here or there.

    Deleted versions must be kept as long at least, and unfinished uploads be removed as soon at least.
    """
    wanted, found = [], []
    for prefix, tier in declared.items():
        moved = (_moved(tier.storage_class, tier.moved_after_days),) if tier.storage_class else ()
        expected = _Fate(tier.kept_days, moved, tier.noncurrent_days, tier.abort_days)
        actual = _fate(prefix, rules)
        differing = expected.worse_in(actual)
        if differing:
            wanted.append(f"{prefix} {', '.join(says(expected) for says in differing)}")
            found.append(f"{prefix} {', '.join(says(actual) for says in differing)}")
    return Drift(WatchedSetting.BUCKET_LIFECYCLE, "; ".join(wanted), "; ".join(found)) if found else None


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of the objects under a prefix; None for what is kept for ever."""

    kept_days: int | None
    moved: tuple[str, ...]
    noncurrent_days: int | None
    abort_days: int | None

    def worse_in(self, found: _Fate) -> list[Callable[[_Fate], str]]:
        """In what the found one is not as good as this one: functions that say it of either."""
        differing: list[Callable[[_Fate], str]] = []
        if (found.kept_days, found.moved) != (self.kept_days, self.moved):
            differing.append(_objects)
        if found.noncurrent_days is None or found.noncurrent_days < (self.noncurrent_days or 0):
            differing.append(_versions)
        if found.abort_days is None or found.abort_days > (self.abort_days or 0):
            differing.append(_uploads)
        return differing


def _objects(fate: _Fate) -> str:
    return f"{_for(fate.kept_days)}, {'dumps moved to ' + ' and '.join(fate.moved) if fate.moved else 'not moved'}"


def _versions(fate: _Fate) -> str:
    return f"deleted versions {_for(fate.noncurrent_days)}"


def _uploads(fate: _Fate) -> str:
    return f"unfinished uploads {_for(fate.abort_days)}"


def _for(days: int | None) -> str:
    return "kept for ever" if days is None else f"kept {days} day{'' if days == 1 else 's'}"


def _moved(storage_class: str, days: int | None) -> str:
    after = " on a certain day" if days is None else f" after {days} days" if days else ""
    return f"{storage_class}{after}"


def _fate(prefix: str, rules: Sequence[Rule]) -> _Fate:
    """What all enabled rules together do; of several expirations S3 takes the earliest.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
    """
    expire, versions, uploads = _Earliest(), _Earliest(), _Earliest()
    moved: set[str] = set()
    for rule in rules:
        scope = _scope(rule)
        if rule.get("Status") != "Enabled" or not scope.touches(prefix):
            continue
        for_all = scope.holds(prefix) and not scope.narrowed
        expire.add(_days(rule.get("Expiration") or {}), for_all=for_all)
        versions.add((rule.get("NoncurrentVersionExpiration") or {}).get("NoncurrentDays"), for_all=for_all)
        if for_all:  # that some uploads are removed sooner costs nobody a backup
            uploads.add((rule.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation"), for_all=True)
        for transition in rule.get("Transitions") or ():
            name = _moved(str(transition.get("StorageClass")), transition.get("Days"))
            moved.add(name if scope.dumps_of(prefix) else f"{name} (by a rule that is not for all dumps and only them)")
    return _Fate(expire.days, tuple(sorted(moved)), versions.days, uploads.days)


class _Earliest:
    """The fewest days of several rules; there must be one that is for all objects, or some are kept for ever."""

    def __init__(self) -> None:
        self._found: list[int] = []
        self._whole = False

    def add(self, days: int | None, *, for_all: bool) -> None:
        if days is not None:
            self._found.append(days)
            self._whole = self._whole or for_all

    @property
    def days(self) -> int | None:
        return min(self._found) if self._whole else None


def _days(expiration: Mapping[str, Any]) -> int | None:
    if "Date" in expiration:  # from that day on, whatever is there goes at once
        return 0
    return expiration.get("Days")


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which objects a rule is for."""

    prefix: str
    tags: tuple[tuple[str, str], ...]
    sized: bool

    @property
    def narrowed(self) -> bool:
        return bool(self.tags) or self.sized

    def holds(self, prefix: str) -> bool:
        """Whether all keys that begin so are meant."""
        return prefix.startswith(self.prefix)

    def touches(self, prefix: str) -> bool:
        """Whether any key that begins so may be meant."""
        return self.holds(prefix) or self.prefix.startswith(prefix)

    def dumps_of(self, prefix: str) -> bool:
        """Whether all dumps there are meant, and nothing but dumps: a manifest must stay readable at once."""
        return self.holds(prefix) and self.tags == ((TAG_KIND, KIND_DUMP),) and not self.sized


def _scope(rule: Rule) -> _Scope:
    """The scope of a rule in either form of the API: a prefix of the rule itself, or a filter."""
    chosen = rule.get("Filter") or {}
    several = chosen.get("And") or {}
    tags = [*several.get("Tags", ()), *([chosen["Tag"]] if chosen.get("Tag") else [])]
    limits = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
    return _Scope(
        prefix=str(rule.get("Prefix") or chosen.get("Prefix") or several.get("Prefix") or ""),
        tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in tags)),
        sized=any(limit in place for limit in limits for place in (chosen, several)),
    )
