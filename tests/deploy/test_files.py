"""The files in deploy/: what they promise, and that systemd and schemas accept them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]
from ynab_pipeline.timers import systemd
from ynab_pipeline.timers.times import recurrence

from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Json = dict[str, Any]

DEPLOY = PROJECT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
UNITS = DEPLOY / "systemd"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
CRON_JOBS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))
#: What may be in the image. Not `.`, which has .env, logs and databases.
COPIED = {"Makefile", "constraints.txt", "meltano.pth", "meltano.yml", "tap-ynab", "plugins"}
COPIED |= {"transform/views.sql", "deploy/entrypoint"}
#: Of systemd-analyze: 0 is as closed as it gets, 10 as open.
MOST_EXPOSED = 2.0


def instructions(name: str) -> list[str]:
    """The arguments of an instruction, each time that the Containerfile has it."""
    whole = CONTAINERFILE.replace("\\\n", "")
    return re.findall(rf"(?m)^{name} (.*)$", whole)


def test_the_image_has_no_more_than_the_project_and_no_rights() -> None:
    sources = [words.split()[:-1] for words in instructions("COPY") if "--from" not in words]
    assert {word for words in sources for word in words} == COPIED
    assert [user.split(":")[0].isdigit() for user in instructions("USER")] == [True]
    assert not instructions("ADD")
    names = [line.split("=")[0] for line in instructions("(?:ENV|ARG)")]
    assert not [name for name in names if re.search("TOKEN|PASSWORD|SECRET", name)]
    assert instructions("VOLUME") == ["/var/lib/tap-ynab"]
    assert instructions("CMD") == ['["ynab-pipeline", "schedule"]']
    assert '"ynab-pipeline", "status"' in instructions("HEALTHCHECK")[0]


def test_nothing_else_is_sent_to_the_builder() -> None:
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == COPIED


def test_the_image_has_the_pinned_versions() -> None:
    installing = [run for run in instructions("RUN") if "pip install" in run or "make" in run]
    assert "make install" in installing[-1]
    for call in re.findall("pip install [^&]*", installing[-1]):
        assert "-c constraints.txt" in call


@pytest.mark.parametrize("name", ["scheduler", "report"])
def test_services_of_compose_have_no_rights(name: str) -> None:
    scheduler = COMPOSE["services"][name]
    assert scheduler["read_only"]
    assert scheduler["cap_drop"] == ["ALL"]
    assert scheduler["security_opt"] == ["no-new-privileges"]
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_compose_tells_if_a_sync_has_failed() -> None:
    scheduler = COMPOSE["services"]["scheduler"]
    assert scheduler["healthcheck"]["test"] == ["CMD", "ynab-pipeline", "status"]


def test_compose_takes_secrets_from_env_alone() -> None:
    example = (DEPLOY / ".env.example").read_text(encoding="utf-8")
    variables = dict(re.findall(r"(?m)^#?([A-Z_]+)=(.*)$", example))
    assert not [name for name in variables if re.search("TOKEN|PASSWORD", name) and variables[name]]
    assert COMPOSE["services"]["scheduler"]["env_file"] == ".env"
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            if "PASSWORD" in name:
                assert re.fullmatch(r"\$\{POSTGRES_PASSWORD:\?.*\}", value)
            assert not re.search(r":[^/@]+@", value)
    ignored = subprocess.run(
        [str(shutil.which("git")), "check-ignore", "-q", "deploy/.env"], cwd=PROJECT, check=False
    )
    assert ignored.returncode == 0


def test_the_report_of_compose_gets_nothing_but_its_database_and_its_own_settings() -> None:
    """Neither the token nor URLs of services, which are in .env for syncs."""
    scheduler, report = (COMPOSE["services"][name] for name in ("scheduler", "report"))
    assert report["env_file"] == []
    assert report["environment"] == scheduler["environment"] | {
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "${TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA:-ynab}",
        "YNAB_BUDGET_SCHEMA": "${YNAB_BUDGET_SCHEMA:-}",
        "YNAB_PIPELINE_STALE_AFTER": "${YNAB_PIPELINE_STALE_AFTER:-}",
    }


def pods() -> Iterator[tuple[Json, Json]]:
    """Each CronJob, with the pod that it starts."""
    for job in CRON_JOBS:
        yield job["spec"], job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_pods_of_kubernetes_have_no_rights() -> None:
    for _, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["envFrom"] == [{"secretRef": {"name": "tap-ynab"}}]
        assert "env" not in container
        assert all("emptyDir" in volume for volume in pod["volumes"])


def test_jobs_of_kubernetes_are_the_schedules_and_never_meet(meltano: Json) -> None:
    runs = {pod["containers"][0]["args"][2]: spec["schedule"] for spec, pod in pods()}
    assert runs == {one["job"]: one["interval"] for one in meltano["schedules"]}
    for spec, pod in pods():
        assert spec["concurrencyPolicy"] == "Forbid"
        assert pod["restartPolicy"] == "Never"
        job = spec["jobTemplate"]["spec"]
        longest = spec["startingDeadlineSeconds"] + job["activeDeadlineSeconds"]
        # Nothing waits for another pod, and the two schedules are an hour apart at the least.
        assert longest + pod["terminationGracePeriodSeconds"] < 60 * 60


def test_timers_of_systemd_are_the_schedules(meltano: Json) -> None:
    wanted = {}
    for schedule in meltano["schedules"]:
        (times,) = recurrence(schedule["interval"]).times
        wanted[f"tap-ynab@{schedule['name']}.service"] = systemd.calendar(times)
    found = {}
    for path in UNITS.glob("*.timer"):
        timer = dict(re.findall(r"(?m)^(\w+)=(.*)$", path.read_text(encoding="utf-8")))
        found[timer["Unit"]] = timer["OnCalendar"]
        assert (timer["RandomizedDelaySec"], timer["Persistent"]) == ("60min", "true")
    assert found == wanted


def analyze(*arguments: str | Path) -> str:
    """What systemd-analyze says, if it finds nothing wrong."""
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("systemd-analyze is missing: whether systemd accepts the units is not tested")
    done = subprocess.run(
        [program, *arguments],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    service = (UNITS / "tap-ynab@.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/tap-ynab/.venv/bin/ynab-pipeline run %i\n" in service
    here = service.replace("/opt/tap-ynab/.venv/bin/ynab-pipeline", sys.executable)
    (tmp_path / "tap-ynab@.service").write_text(here, encoding="utf-8")
    for timer in UNITS.glob("*.timer"):
        shutil.copy(timer, tmp_path)
    assert analyze("verify", "--man=no", *tmp_path.glob("tap-ynab*")) == ""


def test_the_service_is_closed() -> None:
    said = analyze("security", "--offline=true", UNITS / "tap-ynab@.service")
    (exposure,) = re.findall(r"Overall exposure level for .*: ([\d.]+)", said)
    assert float(exposure) < MOST_EXPOSED


def test_the_schema_of_compose() -> None:
    pytest.importorskip("check_jsonschema", reason="`make test-image` installs it")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*command, DEPLOY / "compose.yaml"], check=True)


def test_the_schema_of_kubernetes() -> None:
    schemas = pytest.importorskip("kubernetes_validate", reason="`make test-image` installs it")
    for job in CRON_JOBS:
        schemas.validate(job, schemas.latest_version(), strict=True)
