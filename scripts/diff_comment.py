"""Make a comment for a pull request out of what `cdk diff` has printed.

    python3 scripts/diff_comment.py prod <diff.txt >comment.md

The text comes from code that nobody has reviewed yet, so it is shown as it is and nothing in it is markup.
"""

from __future__ import annotations

import sys

LONGEST = 60_000
"""GitHub takes 65,536 characters, our own words and the fence included."""


def comment(environment: str, text: str) -> str:
    """The comment, in Markdown."""
    shown = text.replace("\r\n", "\n").strip("\n")
    cut = ""
    if len(shown) > LONGEST:
        shown = shown[:LONGEST]
        cut = "\nIt is cut here; the job's log has the rest.\n"
    # Longer than any row of tildes inside, so that nothing inside can end the block.
    fence = "~" * max(8, 1 + max((len(line) - len(line.lstrip("~ ")) for line in shown.split("\n")), default=0))
    return (
        f"### What this changes in `{environment}`\n\n"
        "Read what it says of the database, the bucket and the keys.\n\n"
        f"{fence}text\n{shown or 'Nothing was printed.'}\n{fence}\n{cut}"
    )


if __name__ == "__main__":
    sys.stdout.write(comment(sys.argv[1], sys.stdin.read()))
