"""What all stacks have in common: name, place, tags, and no question to AWS while synthesizing."""

from __future__ import annotations

from aws_cdk import Environment, Stack, Tags
from constructs import Construct

from stacks.settings import Settings


class RecoveryStack(Stack):
    """A stack of one environment."""

    def __init__(
        self, scope: Construct, part: str, *, settings: Settings, description: str, stateful: bool = False
    ) -> None:
        self._zones = list(settings.zones)
        name = f"{settings.prefix}-{part}"
        tags = {
            "System": settings.name,
            "Environment": settings.environment,
            "ManagedBy": "postgres-recovery",
            **settings.tags,
        }
        super().__init__(
            scope,
            name,
            stack_name=name,
            description=description,
            tags=tags,
            env=Environment(account=settings.account, region=settings.region),
            termination_protection=stateful and settings.termination_protection,
        )
        # The stack's own tags are not in its template; what an auditor reads there is tagged by itself.
        for key, value in tags.items():
            Tags.of(self).add(key, value)

    @property
    def availability_zones(self) -> list[str]:
        """Zones by setting: the CDK would look them up, which needs credentials."""
        return self._zones or super().availability_zones
