"""`ynab-pipeline timers`: what it installs, a second time, after a change, and what it takes away.

Stand-ins for `systemctl`, `launchctl` and `crontab` note how they were called; a crontab is a file.
"""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]
from ynab_pipeline.errors import UsageError
from ynab_pipeline.timers import launchd
from ynab_pipeline.timers.entries import installation

from tests.support.beside_meltano import MAIN
from tests.support.meltano_project import PYTHON, Project
from tests.support.pipeline import PROJECT
from tests.support.tenants import content, write
from tests.support.terminal import at_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

#: A folder that systemd, cron and the shell would all read as something else.
ODD = '50% of "Ada\'s" $HOME; #1 ü'
SYSTEMCTL = """#!/bin/sh
echo "$@" >>"$CALLS"
test -z "$NO_MANAGER" || { echo "Failed to connect to bus" >&2; exit 1; }
"""
CRONTAB = """#!/bin/sh
test -z "$REFUSAL" || { echo "$REFUSAL" >&2; exit 1; }
case "$1" in
  -l) cat "$CRONTAB_FILE" 2>/dev/null || { echo "no crontab for ada" >&2; exit 1; } ;;
  -r) rm "$CRONTAB_FILE" ;;
  -) cat >"$CRONTAB_FILE" ;;
esac
"""
#: Of a crontab, to those whom cron.allow keeps out.
NOT_ALLOWED = """\
You (ada) are not allowed to use this program (crontab)
See crontab(1) for more information"""
#: Finds no agent loaded.
LAUNCHCTL = """#!/bin/sh
test -e "$3" || echo "$3 is gone" >>"$CALLS"
echo "$1 $2 ${3##*/}" >>"$CALLS"
test "$1" = bootstrap -a -z "$REFUSED" || { echo "$1 failed: 5" >&2; exit 5; }
"""
#: The same on a Mac.
ON_A_MAC = f"import sys, ynab_pipeline.cli; sys.platform = 'darwin'; {MAIN}"
#: `ynab-pipeline` as make calls it.
PROGRAM = f"""#!/bin/sh
exec .venv/bin/python -c '{MAIN}' "$@"
"""
MAKE = str(shutil.which("make"))
#: In the place of the command that timers call: says where and how it was called.
CALLED = '#!/bin/sh\nprintf "%s\\n" "$PWD" "$0" "$@"\n'


class Machine:
    """A project in a folder with an odd name, and the schedulers of its machine."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        root = folder / ODD
        (root / ".venv/bin").mkdir(parents=True)
        self.project = Project(root)
        # The same programs as in the repository, but installed here.
        for name in ("pyvenv.cfg", "lib", "bin/python"):
            (root / ".venv" / name).symlink_to(PROJECT / ".venv" / name)
        command = root / ".venv/bin/ynab-pipeline"
        command.write_text(CALLED)
        command.chmod(0o700)
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.crontab = folder / "crontab"
        self.calls = folder / "calls"
        self.units = root / ".config/systemd/user"
        self.main = MAIN
        self.environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "CALLS": str(self.calls),
            "CRONTAB_FILE": str(self.crontab),
        }
        self.add("crontab", CRONTAB)

    def add(self, name: str, script: str) -> None:
        (self.programs / name).write_text(script)
        (self.programs / name).chmod(0o700)

    def timers(
        self, *arguments: str, code: int = 0, options: tuple[str, ...] = (), **environment: str
    ) -> str:
        """What the command prints, and says."""
        program = str(self.project.folder / ".venv/bin/python")
        command = (program, "-c", self.main, *options, "timers", *arguments)
        done = self.project.execute(*command, **self.environment, **environment)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def prepare_make(self) -> None:
        """Have the folder be as `make install` leaves it."""
        folder = self.project.folder
        for name in ("Makefile", "meltano.pth"):
            shutil.copy(PROJECT / name, folder)
        (folder / ".venv/bin/ynab-pipeline").write_text(PROGRAM)
        for name in (".venv/installed", ".meltano/installed"):
            (folder / name).touch()

    def make(self, target: str, answer: str | None) -> tuple[int, str]:
        """What a person sees who calls make, and gives this answer if there is a question."""
        return at_a_terminal(
            [MAKE, target],
            [] if answer is None else [("Do this? [y/N] ", answer)],
            folder=self.project.folder,
            environment=self.project.variables(**self.environment),
        )

    def schedule(self, **intervals: str) -> None:
        """Put these schedules into meltano.yml."""
        path = self.project.folder / "meltano.yml"
        content = yaml.safe_load(path.read_text())
        content["schedules"] = [
            {"name": name.replace("_", "-"), "interval": interval, "job": "sync"}
            for name, interval in intervals.items()
        ]
        path.write_text(yaml.safe_dump(content))

    def installed(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.units.glob("*")}


@pytest.fixture
def machine(installed: Callable[[str], str], tmp_path: Path) -> Machine:
    """With cron, and a systemctl that reaches no manager."""
    installed(str(PYTHON))
    machine = Machine(tmp_path)
    machine.add("systemctl", SYSTEMCTL)
    machine.environment["NO_MANAGER"] = "1"
    return machine


@pytest.fixture
def systemd(machine: Machine) -> Machine:
    """With a user manager, too."""
    del machine.environment["NO_MANAGER"]
    return machine


def lines_of(machine: Machine) -> list[str]:
    return [line for line in machine.crontab.read_text().splitlines() if line[0] not in "#M"]


def test_a_crontab_from_nothing_to_nothing(machine: Machine) -> None:
    shown = machine.timers("show")
    assert not machine.crontab.exists()
    assert "sync-every-4-hours: 0 */4 * * *, up to 30 minutes off" in shown
    refused = machine.timers("install", code=2)
    assert "it needs --yes" in refused
    assert not machine.crontab.exists()

    machine.timers("install", "--yes")
    written = machine.crontab.read_text()
    assert all(f"    {line}" in shown for line in written.splitlines())
    assert re.findall(r"(?m)^(\d.* \*) cd .* run (\S+) (\S+) ", written) == [
        ("30 3,7,11,15,19,23 * * *", "sync-every-4-hours", "--jitter=60m"),
        ("30 2 * * *", "reconcile-daily", "--jitter=60m"),
    ]
    assert "Installed already" in machine.timers("install")
    assert machine.crontab.read_text() == written

    assert "remove lines in your crontab" in machine.timers("remove", "--yes")
    assert not machine.crontab.exists()
    assert "No timers are installed." in machine.timers("remove")


def test_what_cron_calls(machine: Machine) -> None:
    """Cron passes on all up to the first % that has no backslash before it."""
    (machine.project.folder / "a b.env").touch()
    options = ("--environment=prod", "--env-file=a b.env")
    machine.timers("install", "--yes", options=options)
    line = lines_of(machine)[0].split(maxsplit=5)[5]
    assert not re.search(r"(?<!\\)%", line)
    subprocess.run(["/bin/sh", "-c", line.replace(r"\%", "%")], check=True, cwd="/")
    folder = machine.project.folder
    assert (folder / ".meltano/schedule.log").read_text().splitlines() == [
        str(folder),
        str(folder / ".venv/bin/ynab-pipeline"),
        "--environment=prod",
        f"--env-file={folder / 'a b.env'}",
        "run",
        "sync-every-4-hours",
        "--jitter=60m",
    ]

    refused = machine.timers("install", "--tenants", "--yes", options=options, code=2)
    assert "a tenant's file names its environment" in refused
    none = machine.timers("install", "--tenants", "--yes", code=2)
    assert "there are no tenants yet" in none
    write(folder, "ada", content("ada"))
    machine.timers("install", "--tenants", "--yes")
    assert " run sync-every-4-hours --tenants --jitter=60m >>" in lines_of(machine)[0]


def test_make_asks(machine: Machine) -> None:
    machine.prepare_make()
    for answer in ("n", ""):
        code, seen = machine.make("schedule", answer)
        assert code == 2
        assert "add lines in your crontab" in seen
        assert "Nothing is done." in seen
        assert not machine.crontab.exists()
    assert machine.make("schedule", "y")[0] == 0
    assert [line.split("--jitter")[0].split()[-1] for line in lines_of(machine)] == [
        "sync-every-4-hours",
        "reconcile-daily",
    ]
    assert machine.make("unschedule", "n")[0] == 2
    assert machine.crontab.exists()
    code, seen = machine.make("unschedule", "y")
    assert code == 0
    assert "remove lines in your crontab" in seen
    assert not machine.crontab.exists()


def test_make_unschedule_after_make_clean(machine: Machine) -> None:
    machine.prepare_make()
    machine.make("schedule", "y")
    for name in (".meltano", ".venv"):  # as `make clean` does
        shutil.rmtree(machine.project.folder / name)
    code, seen = machine.make("unschedule", None)
    assert code == 2
    assert "Nothing is installed yet: run make install" in seen
    assert machine.crontab.exists()


def test_whom_the_timers_are_for(machine: Machine) -> None:
    """There is one set of timers: others come in their place."""
    write(machine.project.folder, "ada", content("ada"))
    ada = ("--env-file=tenants/ada.env",)
    replaces = "The new timers replace those for {}, which will no longer be synced"
    assert "replace" not in machine.timers("install", "--yes")
    first, *_, last = machine.timers("show", "--tenants").splitlines()
    assert first == "The timers are for all tenants, not for your own account"
    assert last == replaces.format("your own account")
    assert machine.timers("show", options=ada).splitlines()[-1] == last

    machine.timers("install", "--tenants", "--yes")
    machine.schedule(hourly="20 * * * *")
    shown = machine.timers("show", "--tenants")
    assert "change lines in your crontab" in shown
    assert "replace" not in shown
    # Also if another scheduler has them.
    del machine.environment["NO_MANAGER"]
    assert machine.timers("show").splitlines()[-1] == replaces.format("all tenants")
    assert "replace" not in machine.timers("remove", "--yes")

    machine.timers("install", "--yes", options=ada)
    last = machine.timers("show").splitlines()[-1]
    assert last == replaces.format("the account of an env file")


def test_whether_anybody_is_told(machine: Machine) -> None:
    """By the env file: timers have no variables of the shell."""
    machine.project.write_env(MELTANO_ENVIRONMENT="local")
    urls = "json://localhost/se json://localhost/cret"
    first = machine.timers("show", YNAB_PIPELINE_NOTIFY=urls).splitlines()[0]
    assert first == (
        "Environment local; if a sync fails, nobody is told: "
        "set YNAB_PIPELINE_NOTIFY in .env, as docs/notifications.md says"
    )
    machine.project.write_env(MELTANO_ENVIRONMENT="local", YNAB_PIPELINE_NOTIFY=urls)
    shown = machine.timers("show", YNAB_PIPELINE_NOTIFY="json://localhost")
    assert shown.splitlines()[0].endswith("if a sync fails, messages go to 2 addresses")
    assert "cret" not in shown


def test_which_environment_the_timers_are_for(machine: Machine) -> None:
    """That of the shell is named in the command, and that of the env file is left to it."""

    def environments(*arguments: str, **variables: Any) -> tuple[str, set[str]]:
        """Those that are told, and those in the commands."""
        shown = machine.timers("show", *arguments, **variables)
        told = re.match("Environment ([^;]*)", shown)
        return told[1] if told else "", set(re.findall(r"--environment=(\S+)", shown))

    prod = {"MELTANO_ENVIRONMENT": "prod"}
    suffix = {"MELTANO_RUN_STATE_ID_SUFFIX": "ada"}
    assert environments() == ("demo", set())
    assert environments(**prod, **suffix) == ("prod", {"prod"})
    machine.project.write_env(MELTANO_ENVIRONMENT="local", **suffix)
    assert environments() == ("local (ada)", set())
    assert environments(MELTANO_ENVIRONMENT="") == ("local (ada)", set())
    assert environments(**prod) == ("prod (ada)", {"prod"})
    write(machine.project.folder, "ada", content("ada"))
    assert environments("--tenants", **prod) == ("", set())
    for token in ("YNAB_PERSONAL_ACCESS_TOKEN", "TAP_YNAB_ACCESS_TOKEN"):
        machine.project.write_env(**{token: "a"})
        assert environments() == ("local", set())
        assert environments(**prod) == ("prod", {"prod"})


def test_other_lines_of_a_crontab_stay(machine: Machine) -> None:
    above = "MAILTO=ada\n# mine\n5 4 * * * backup 100\\%\n"
    below = "6 4 * * * other"  # without a line end, as some editors leave it
    machine.crontab.write_text(above)
    machine.timers("install", "--yes")
    with machine.crontab.open("a") as crontab:
        crontab.write(below)
    machine.schedule(hourly="20 * * * *", by_hand="@manual")
    assert "change lines in your crontab" in machine.timers("install", "--yes")
    changed = machine.crontab.read_text()
    assert changed.startswith(above)
    assert changed.endswith(below)
    assert " run hourly " in changed
    assert "reconcile" not in changed
    assert "by-hand" not in changed
    machine.timers("remove", "--yes")
    assert machine.crontab.read_text() == above + below


def test_all_bytes_of_other_lines_stay(machine: Machine) -> None:
    above = b"# K\xe4se\n5 4 * * * backup\r\n# a\rb\n"
    machine.crontab.write_bytes(above)
    machine.timers("install", "--yes")
    assert machine.crontab.read_bytes().startswith(above)
    machine.timers("remove", "--yes")
    assert machine.crontab.read_bytes() == above


def test_a_message_that_is_not_in_utf_8(machine: Machine) -> None:
    machine.add("crontab", "#!/bin/sh\nprintf 'K\\344se fehlt\\n' >&2\nexit 1\n")
    said = machine.timers("install", "--yes", code=1, PYTHONIOENCODING="utf-8:strict")
    assert said == "ynab-pipeline: your crontab cannot be read: K\\xe4se fehlt\n"


def test_nothing_is_lost_if_a_crontab_cannot_be_read_or_understood(machine: Machine) -> None:
    machine.timers("install", "--yes")
    machine.schedule(hourly="20 * * * *")
    failure = "spool: Permission denied\nAsk somebody"
    assert machine.timers("install", "--yes", code=1, REFUSAL=failure) == (
        "ynab-pipeline: your crontab cannot be read: spool: Permission denied\n"
    )
    damaged = machine.crontab.read_text().replace(" ends\n", "\n") + "5 4 * * * mine\n"
    machine.crontab.write_text(damaged)
    for action in ("install", "remove"):
        assert "crontab -e" in machine.timers(action, "--yes", code=1)
    assert machine.crontab.read_text() == damaged


def test_somebody_whom_cron_keeps_out(machine: Machine) -> None:
    said = machine.timers("install", "--yes", code=1, REFUSAL=NOT_ALLOWED).splitlines()
    assert said[-1] == (
        "ynab-pipeline: crontab has refused: "
        "You (ada) are not allowed to use this program (crontab)"
    )
    del machine.environment["NO_MANAGER"]
    machine.timers("install", "--yes", REFUSAL=NOT_ALLOWED)
    assert len(machine.installed()) == 4
    machine.timers("remove", "--yes", REFUSAL=NOT_ALLOWED)
    assert not machine.installed()


def test_a_schedule_without_a_name(machine: Machine) -> None:
    machine.timers("install", "--yes")
    path = machine.project.folder / "meltano.yml"
    document = yaml.safe_load(path.read_text())
    for schedule in ({"interval": "0 3 * * *", "job": "sync"}, "daily"):
        path.write_text(yaml.safe_dump(document | {"schedules": [schedule]}))
        assert machine.timers("install", "--yes", code=2) == (
            "ynab-pipeline: a schedule of meltano.yml has no name: add one, as in `- name: daily`\n"
        )
    machine.timers("remove", "--yes")
    assert not machine.crontab.exists()


def test_units_from_nothing_to_nothing(systemd: Machine) -> None:
    shown = systemd.timers("show")
    assert not systemd.units.exists()
    said = systemd.timers("install", "--yes")
    assert "loginctl enable-linger" in said
    units = systemd.installed()
    name = re.sub(r"-(sync|reconcile).*", "", next(iter(units)))
    kinds = ("service", "timer")
    schedules = ("sync-every-4-hours", "reconcile-daily")
    assert set(units) == {f"{name}-{one}.{kind}" for one in schedules for kind in kinds}
    for text in units.values():
        assert all(f"    {line}".rstrip() in shown for line in text.splitlines())
    timer = units[f"{name}-sync-every-4-hours.timer"]
    assert {
        "OnCalendar=*-*-* 03,07,11,15,19,23:30:00",
        "RandomizedDelaySec=60min",
        "Persistent=true",
        "WantedBy=timers.target",
    } <= set(timer.splitlines())
    assert not systemd.crontab.exists()
    timers = [f"{name}-{one}.timer" for one in schedules]
    assert systemd.calls.read_text().splitlines()[-2:] == [
        "--user --quiet daemon-reload",
        f"--user --quiet enable --now {' '.join(timers)}",
    ]

    assert "Installed already" in systemd.timers("install")
    assert systemd.installed() == units
    systemd.schedule(sync_every_4_hours="0 */6 * * *")
    systemd.timers("install", "--yes")
    assert "02,08" not in timer
    assert systemd.installed().keys() == {f"{name}-{schedules[0]}.{kind}" for kind in kinds}
    assert systemd.installed()[f"{name}-sync-every-4-hours.timer"] != timer
    calls = systemd.calls.read_text().splitlines()
    assert f"--user --quiet disable --now {timers[1]}" in calls
    assert calls[-1] == f"--user --quiet restart {timers[0]}"

    (systemd.units / "mine.timer").write_text("[Timer]\n")
    systemd.schedule(odd="0 3 L * *")
    assert "schedule odd of meltano.yml" in systemd.timers("install", code=2)
    systemd.timers("remove", "--yes")
    assert systemd.installed().keys() == {"mine.timer"}
    assert f"disable --now {timers[0]}" in systemd.calls.read_text()


def test_systemd_accepts_the_units(systemd: Machine) -> None:
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("systemd-analyze is missing: whether systemd accepts the units is not tested")
    systemd.timers("install", "--yes")
    units = [str(path) for path in systemd.units.glob("*")]
    command = [program, "verify", "--user", "--man=no", *units]
    started = str(systemd.project.folder / ".venv/bin/ynab-pipeline")
    for text in systemd.installed().values():
        for line in re.findall("ExecStart=:(.*)", text):
            # The shell reads quotation marks and backslashes as systemd does, here.
            assert shlex.split(line.replace("%%", "%"))[3:5] == [started, "run"]
    environment = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(systemd.programs)}
    done = subprocess.run(
        command, env=environment, capture_output=True, check=False, encoding="utf-8"
    )
    # It would name whatever it does not understand.
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_from_cron_to_systemd(machine: Machine) -> None:
    machine.timers("install", "--yes")
    assert machine.crontab.exists()
    del machine.environment["NO_MANAGER"]
    machine.timers("install", "--yes")
    assert not machine.crontab.exists()
    assert len(machine.installed()) == 4
    # Without a manager the timers cannot be stopped: nothing is half removed.
    assert "Failed to connect" in machine.timers("remove", "--yes", code=1, NO_MANAGER="1")
    assert len(machine.installed()) == 4


def test_without_a_scheduler(machine: Machine) -> None:
    for name in ("crontab", "systemctl"):
        (machine.programs / name).unlink()
    machine.environment["PATH"] = str(machine.programs)
    assert "ynab-pipeline schedule" in machine.timers("install", "--yes", code=1)
    assert "No timers are installed." in machine.timers("remove")


def test_names_and_folders_that_no_scheduler_could_have() -> None:
    with pytest.raises(UsageError, match="letters, digits, - and _"):
        installation(Path("/srv/ynab"), {"every day": "0 3 * * *"})
    for folder in ("/srv/a\nb", "/srv/a\\b"):
        with pytest.raises(UsageError, match="rename it"):
            installation(Path(folder), {"daily": "0 3 * * *"})


def test_two_projects_have_names_of_their_own() -> None:
    names = {installation(Path(folder), {}).name for folder in ("/a/ynab", "/b/ynab")}
    assert len(names) == 2


def test_agents_of_launchd() -> None:
    folder = Path("/Users/ada", ODD)
    project = installation(folder, {"daily": "0 3 * * 1"}, ["--environment=prod"])
    [(path, text)] = launchd.wanted(project).items()
    assert Path(path).match("Library/LaunchAgents/tap-ynab-*.daily.plist")
    program = str(Path(sys.executable).with_name("ynab-pipeline"))
    log = str(folder / ".meltano/schedule.log")
    assert plistlib.loads(text.encode()) == {
        "Label": Path(path).stem,
        "ProgramArguments": [program, "--environment=prod", "run", "daily", "--jitter=60m"],
        "WorkingDirectory": str(folder),
        "StartCalendarInterval": [{"Hour": 2, "Minute": 30, "Weekday": 1}],
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "AbandonProcessGroup": True,
    }


def test_agents_from_nothing_to_nothing(machine: Machine) -> None:
    machine.main = ON_A_MAC
    machine.add("launchctl", LAUNCHCTL)
    folder = machine.project.folder / "Library/LaunchAgents"

    def agents() -> dict[str, str]:
        return {path.name.split(".")[1]: path.read_text() for path in folder.glob("*.plist")}

    def calls() -> list[str]:
        """What launchctl was told since the last time."""
        lines = machine.calls.read_text().splitlines()
        machine.calls.unlink()
        return [re.sub(r" tap-ynab-\w+", "", line) for line in lines]

    domain = f"gui/{os.getuid()}"
    assert "launchctl has refused: bootstrap failed: 5" in machine.timers(
        "install", "--yes", code=1, REFUSED="1"
    )
    machine.timers("remove", "--yes")
    assert not agents()
    calls()

    machine.timers("install", "--yes")
    first = agents()
    assert set(first) == {"sync-every-4-hours", "reconcile-daily"}
    assert calls() == [
        f"bootstrap {domain}.sync-every-4-hours.plist",
        f"bootstrap {domain}.reconcile-daily.plist",
    ]
    assert "Installed already: launchd agents" in machine.timers("install")
    assert not machine.calls.exists()

    machine.schedule(sync_every_4_hours="0 */6 * * *")
    machine.timers("install", "--yes")
    assert agents().keys() == {"sync-every-4-hours"}
    assert agents() != {"sync-every-4-hours": first["sync-every-4-hours"]}
    assert calls() == [
        f"bootout {domain}.reconcile-daily.plist",
        f"bootout {domain}.sync-every-4-hours.plist",
        f"bootstrap {domain}.sync-every-4-hours.plist",
    ]
    machine.timers("remove", "--yes")
    assert not agents()
    assert calls() == [f"bootout {domain}.sync-every-4-hours.plist"]
