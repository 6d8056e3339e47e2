"""Whether what S3 says of the bucket is still what was declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Tiers for which the rules come to something else, sooner or later, here or there."""
    wanted, found = [], []
    for prefix, tier in declared.items():
        expected = _Fate(tier.kept_days, (tier.storage_class,) if tier.storage_class else ())
        actual = _fate(prefix, rules)
        if actual != expected:
            wanted.append(f"{prefix} {expected}")
            found.append(f"{prefix} {actual}")
    return Drift(WatchedSetting.BUCKET_LIFECYCLE, "; ".join(wanted), "; ".join(found)) if found else None


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of the objects under a prefix."""

    kept_days: int | None
    moved: tuple[str, ...]

    def __str__(self) -> str:
        kept = "kept for ever" if self.kept_days is None else f"kept {self.kept_days} days"
        return f"{kept}, dumps moved to {' and '.join(self.moved)}" if self.moved else f"{kept}, not moved"


def _fate(prefix: str, rules: Sequence[Rule]) -> _Fate:
    """What all enabled rules together do; of several expirations S3 takes the earliest.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
    """
    for_all: list[int] = []
    for_some: list[int] = []
    moved: set[str] = set()
    for rule in rules:
        scope = _scope(rule)
        if rule.get("Status") != "Enabled" or not scope.touches(prefix):
            continue
        days = _days(rule.get("Expiration") or {})
        if days is not None:
            (for_all if scope.holds(prefix) and not scope.narrowed else for_some).append(days)
        for transition in rule.get("Transitions") or ():
            name = str(transition.get("StorageClass"))
            moved.add(name if scope.dumps_of(prefix) else f"{name} (by a rule that is not for all dumps and only them)")
    kept = min(for_all + for_some) if for_all else None
    return _Fate(kept, tuple(sorted(moved)))


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
