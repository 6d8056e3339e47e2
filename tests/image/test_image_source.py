"""The image cannot be built here; what goes into it can be looked at, and its build-time check can be run."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from dbbackup.contract import BUILD_ARG_PG_MAJOR, HANDLER_BACKUP, IMAGE_CA_BUNDLE
from dbbackup.image_check import check, main
from devtools.postgres import LATEST, package_bindir

SOURCE = Path(__file__).resolve().parents[2] / "lambda_src"
BUNDLE = SOURCE / "certs" / "rds-global-bundle.pem"
DOCKERFILE = (SOURCE / "Dockerfile").read_text()


def test_the_handler_and_the_bundle_are_where_the_infrastructure_says() -> None:
    assert f'CMD ["{HANDLER_BACKUP}"]' in DOCKERFILE
    assert f"COPY certs/{BUNDLE.name} {IMAGE_CA_BUNDLE}" in DOCKERFILE
    assert f"ARG {BUILD_ARG_PG_MAJOR}=" in DOCKERFILE


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)

    assert users
    assert not users[-1].startswith(("0", "root"))


def test_the_build_checks_the_client_after_everything_is_installed() -> None:
    installed = DOCKERFILE.rindex("pip install")
    checked = DOCKERFILE.index("python -m dbbackup.image_check --major")

    assert checked > installed


def test_every_package_of_the_image_is_pinned() -> None:
    lines = (SOURCE / "requirements.txt").read_text().splitlines()
    packages = [line.split(";")[0].strip() for line in lines if line and not line.startswith("#")]

    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", package) for package in packages)
    wanted = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {package.split("==")[0] for package in packages}
    assert {re.split(r"[\[=<>;]", each)[0].replace(".", "-") for each in wanted} <= names


def test_the_bundle_holds_valid_root_authorities_of_rds_and_nothing_else() -> None:
    text = BUNDLE.read_text()
    authorities = x509.load_pem_x509_certificates(text.encode())

    assert len(authorities) > 70
    for authority in authorities:
        name = authority.subject.rfc4514_string()
        assert authority.subject == authority.issuer, f"{name} is not a root"
        assert "Amazon Web Services" in name
        assert "Amazon RDS" in name
        assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert authority.not_valid_after_utc > datetime(2060, 1, 1, tzinfo=UTC)
        assert authority.fingerprint(hashes.SHA256()).hex() in text, "the comment above a certificate is its own"
        authority.verify_directly_issued_by(authority)


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-central-1", "eu-west-1", "ap-south-1"])
def test_instances_of_a_region_can_be_verified(region: str) -> None:
    for kind in ("RSA2048", "RSA4096", "ECC384"):
        assert f"# Amazon RDS {region} Root CA {kind} G1" in BUNDLE.read_text()


def test_the_check_says_what_the_client_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BINDIR", str(package_bindir(LATEST)))

    version, zstd, authorities = check(major=18, ca_bundle=BUNDLE)

    assert version.startswith("pg_dump 18.")
    assert zstd == "zstd: no, archives will be compressed with gzip"
    assert authorities.split()[0].isdecimal()


def test_the_check_fails_for_another_major(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BINDIR", str(package_bindir(LATEST)))
    monkeypatch.setattr("sys.argv", ["image_check", "--major", "17", "--ca-bundle", str(BUNDLE)])

    with pytest.raises(SystemExit, match=r"cannot make backups.*is to have major 17"):
        main()


def test_the_check_fails_where_a_program_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in ("pg_dump", "pg_restore"):
        (tmp_path / program).symlink_to(package_bindir(LATEST) / program)
    monkeypatch.setenv("PG_BINDIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["image_check", "--major", "18", "--ca-bundle", str(BUNDLE)])

    with pytest.raises(SystemExit, match="has no pg_dumpall"):
        main()


def test_the_check_fails_without_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BINDIR", str(package_bindir(LATEST)))
    empty = tmp_path / "empty.pem"
    empty.touch()
    monkeypatch.setattr("sys.argv", ["image_check", "--major", "18", "--ca-bundle", str(empty)])

    with pytest.raises(SystemExit, match="cannot make backups"):
        main()
