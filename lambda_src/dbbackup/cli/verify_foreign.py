"""What ``dbbackup verify`` says of a dump that somebody else has made."""

from __future__ import annotations

from dbbackup.cli.output import print_json, say
from dbbackup.core.units import format_bytes, format_seconds
from dbbackup.operations.verify_foreign import VerifiedForeign

_SHOWN = 10


def show_foreign(url: str, verified: VerifiedForeign, *, as_json: bool) -> None:
    """What it is, what it holds, and what nobody can say of it."""
    contents = verified.examined.contents
    form = ", in ".join((verified.form.value, *(cover.value for cover in reversed(verified.covers))))
    if as_json:
        print_json(
            {
                "status": "verified",
                "location": url,
                "form": form,
                "size_bytes": verified.size_bytes,
                "sha256": verified.sha256,
                "digest_matches_manifest": None,
                "dumped_by": contents.dump_version,
                "server_version": contents.server_version,
                "entries": contents.entries,
                "tables_with_data": verified.tables,
                "rows": verified.rows,
                "complete": verified.examined.says_its_end or None,
                "not_read": list(verified.examined.unread),
                "left_out": [{"what": each.what, "why": each.why} for each in contents.left_out],
                "duration_seconds": verified.seconds,
            }
        )
        return
    say(f"✅ {url}: {format_bytes(verified.size_bytes)} read in {format_seconds(verified.seconds)}")
    by = f"of pg_dump {contents.dump_version}" if contents.dump_version else "which does not say what wrote it"
    of = f", from PostgreSQL {contents.server_version}" if contents.server_version else ""
    say(f"   {form} {by}{of}")
    rows = f", {verified.rows:,} rows" if verified.rows is not None else ""
    say(f"   {contents.entries} entries, {verified.tables} tables with data{rows}; read to its end")
    for each in contents.left_out[:_SHOWN]:
        say(f"   a restore leaves out {each.what}: {each.why}")
    if len(contents.left_out) > _SHOWN:
        say(f"   and {len(contents.left_out) - _SHOWN} more")
    if verified.examined.unread:
        say(f"⚠️  Compressed by lz4 and not read: {', '.join(verified.examined.unread[:_SHOWN])}")
    if not verified.examined.says_its_end:
        say("⚠️  It has no line that says that it is complete: what is missing at its end, nobody can see.")
    say("⚠️  There is no manifest beside it: nobody vouches for when and from where it was taken.")
    if verified.sha256:
        say(f"   SHA-256: {verified.sha256}")
