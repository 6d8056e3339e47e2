"""Objects in Glacier: what asking them back takes is said first, and nothing is asked back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from dbbackup.assembly import TEXTFILE_VARIABLE
from dbbackup.cli import restore
from tests.support.backups import take
from tests.support.buckets import Bucket
from tests.support.command import Ended
from tests.support.databases import Database
from tests.support.restores import SAVED, Scene, cli


def _transition(bucket: Bucket, body: str) -> None:
    url = f"{bucket.aws.endpoint}/moto-api/state-manager/set-transition"
    request = Request(url, body.encode(), {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        assert answer.status == 201


@pytest.fixture
def slow(bucket: Bucket) -> Iterator[None]:
    """The local AWS has an object back when it has been looked at three times."""
    model = '"model_name": "s3::keyrestore"'
    _transition(bucket, f'{{{model}, "transition": {{"progression": "manual", "times": 3}}}}')
    yield
    _transition(bucket, f'{{{model}, "transition": {{"progression": "immediate"}}}}')


@dataclass(frozen=True)
class Archived:
    """A backup in Glacier, and a target."""

    scene: Scene
    bucket: Bucket
    key: str

    def restore(self, *options: str, **more: str) -> Ended:
        """Restore it."""
        environment = {**self.scene.environment, **self.bucket.aws.environment(), **more}
        return cli("restore", self.key, "--bucket", self.bucket.name, "--yes", *options, environment=environment)

    def state(self) -> str:
        """What S3 says of a retrieval."""
        return self.bucket.s3.head_object(Bucket=self.bucket.name, Key=self.key).get("Restore", "")


@pytest.fixture(params=["GLACIER", "DEEP_ARCHIVE"])
def archived(request: pytest.FixtureRequest, scene: Scene, database: Database, bucket: Bucket) -> Archived:
    database.execute(SAVED)
    manifest = take(database, bucket.store()).manifest
    key = manifest.archive.key
    bucket.transition(key, request.param)
    return Archived(scene, bucket, key)


@pytest.mark.usefixtures("slow")
def test_what_is_not_back_yet_is_no_failed_restore(archived: Archived, tmp_path: Path) -> None:
    told = {TEXTFILE_VARIABLE: str(tmp_path)}
    for options in ((), ("--retrieval", "bulk")):
        assert archived.restore(*options, **told).status == 1
    assert list(tmp_path.glob("*.prom")) == []


def test_times_and_prices_are_shown_and_nothing_is_asked(archived: Archived, request: pytest.FixtureRequest) -> None:
    before = archived.scene.databases()
    ended = archived.restore()
    assert ended.status == 1
    flexible = "is in GLACIER." in ended.out
    assert flexible or "is in DEEP_ARCHIVE." in ended.out
    assert ("expedited: 1 to 5 minutes" in ended.out) == flexible
    assert ("standard: 3 to 5 hours, about 0.00 USD" if flexible else "standard: within 12 hours") in ended.out
    assert "Nothing was asked for and nothing was changed." in ended.err
    assert "--retrieval standard" in ended.err
    assert archived.state() == ""
    assert archived.scene.databases() == before


@pytest.mark.usefixtures("slow")
def test_it_is_asked_back_and_the_restore_goes_on_later(archived: Archived) -> None:
    asked = archived.restore("--retrieval", "standard")
    assert asked.status == 1
    assert "Asked back (standard); the copy will stay for 3 days." in asked.out
    assert "Run the same command again later, or with --wait." in asked.err
    again = archived.restore("--retrieval", "standard")
    assert again.status == 1
    assert "Asked back" not in again.out
    assert archived.scene.is_as_it_was()
    while 'ongoing-request="true"' in archived.state():
        pass
    back = archived.restore()
    assert back.status == 0, back.err
    assert archived.scene.target.value("SELECT count(*) FROM purchase") == 300


@pytest.mark.usefixtures("slow")
def test_it_can_be_waited_for(archived: Archived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "POLL_SECONDS", 0.01)
    ended = archived.restore("--retrieval", "bulk", "--wait")
    assert ended.status == 0, ended.err
    assert archived.scene.target.value("SELECT count(*) FROM purchase") == 300


def test_a_way_that_the_class_does_not_offer(archived: Archived) -> None:
    ended = archived.restore("--retrieval", "expedited")
    if "is in DEEP_ARCHIVE." in ended.out:
        assert ended.status == 2
        assert "DEEP_ARCHIVE has no expedited retrieval." in ended.err
        assert archived.state() == ""
    else:
        assert "Asked back (expedited)" in ended.out
    assert archived.scene.is_as_it_was()
