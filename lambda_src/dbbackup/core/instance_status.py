"""What the status of an RDS instance means to us.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
"""

from __future__ import annotations

from typing import Final

SETTLED: Final = frozenset({"available", "storage-config-upgrade", "storage-initialization", "storage-optimization"})
"""It serves, and takes orders. RDS moves blocks behind some of these for hours, which nobody has to wait for.

https://repost.aws/knowledge-center/rds-stuck-in-storage-optimization
"""
USABLE: Final = SETTLED | {
    *("backing-up", "configuring-enhanced-monitoring", "configuring-iam-database-auth", "configuring-log-exports"),
}
"""It serves, though it may refuse an order for a while. A restore that fails **deletes no instance that is such**."""
WITHOUT_DATA: Final = frozenset(
    {
        *("failed", "restore-error", "insufficient-capacity", "incompatible-create", "incompatible-network"),
        *("incompatible-option-group", "incompatible-parameters", "incompatible-restore"),
    }
)
"""Where the making of an instance ended in one of these, there is nothing in it, and nothing will come."""
FINAL: Final = WITHOUT_DATA | {
    *("storage-full", "stopped", "stopping", "deleting", "inaccessible-encryption-credentials"),
    "inaccessible-encryption-credentials-recoverable",
}
"""It does not leave these by itself."""
