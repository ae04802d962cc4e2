"""What an operator starts hangs together: containers, units, their files, and nothing too open."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from api.broker import mosquitto_program
from api.doctor.sockets import ask_broker
from api.enrolment.authority import Revoked, revocation_list
from api.enrolment.broker_files import CRL_FILE
from api.enrolment.ca_folder import read_certificate, read_signer
from dashboards import files as boards
from dashboards.promql import JOBS
from kwartier.cli import main
from kwartier.errors import LinkDownError
from tests.api.enrolling import KnowingBroker, authority

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES_OF_SYSTEMD = [unit for unit in UNITS if unit.suffix == ".service"]
PINNED = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)?:v?\d+\.\d+(\.\d+)?[a-z0-9.-]*")
"""A name and a version, and no host that it comes from."""
START = "ExecStart=/opt/kwartier/bin/kwartier "
MOST_EXPOSED = 2.0
"""The highest exposure that ``systemd-analyze security`` may find, of 10."""

Part = dict[str, object]


def parts(key: str) -> dict[str, Part]:
    """Return a part of the compose file, by name."""
    told = yaml.safe_load(COMPOSE.read_text())[key]
    assert isinstance(told, dict)
    return {str(name): dict(part or {}) for name, part in told.items()}


def texts(part: Part, key: str) -> list[str]:
    """Return a list of texts; none where there is no such key."""
    found = part.get(key, [])
    assert isinstance(found, list)
    return [str(one) for one in found]


def mounts(part: Part) -> list[dict[str, str]]:
    """Return what a service mounts."""
    found = part.get("volumes", [])
    assert isinstance(found, list)
    return [{str(key): str(value) for key, value in one.items()} for one in found]


SERVICES = parts("services")
OURS = {name: part for name, part in SERVICES.items() if "build" in part}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_no_more_than_it_must(name: str) -> None:
    part = SERVICES[name]

    assert part["read_only"] is True
    assert texts(part, "cap_drop") == ["ALL"]
    assert texts(part, "security_opt") == ["no-new-privileges:true"]
    assert not str(part["user"]).startswith(("0:", "root"))
    assert re.fullmatch(r"\d+[mg]", str(part["mem_limit"]))
    assert PINNED.fullmatch(str(part["image"]))
    assert "healthcheck" in part or part["restart"] == "no"
    assert not {"privileged", "network_mode", "pid", "devices"} & part.keys()


def test_only_the_gateways_port_is_open_to_the_world() -> None:
    ports = {port for part in SERVICES.values() for port in texts(part, "ports")}

    assert ports == {"8883:8883", "127.0.0.1:8000:8000", "127.0.0.1:3000:3000"}


def test_every_secret_volume_network_and_file_that_is_named_is_there() -> None:
    secrets = {one for part in SERVICES.values() for one in texts(part, "secrets")}
    networks = {one for part in SERVICES.values() for one in texts(part, "networks")}
    all_mounts = [one for part in SERVICES.values() for one in mounts(part)]
    volumes = {one["source"] for one in all_mounts if one["type"] == "volume"}
    ours = [one["source"] for one in all_mounts if one["source"].startswith(".")]
    theirs = [one["source"] for one in all_mounts if one["source"].startswith("$")]

    assert secrets == parts("secrets").keys()
    assert networks == parts("networks").keys()
    assert volumes == parts("volumes").keys()
    assert [path for path in ours if not (DEPLOY / path).exists()] == []
    kept = "${KWARTIER_BACKUPS:-/var/backups/kwartier}"
    assert all(
        path == kept or path.startswith("${KWARTIER_ETC:-/etc/kwartier}/") for path in theirs
    )
    assert Path(boards.TOKEN_FILE).name in texts(SERVICES["grafana"], "secrets")


def test_no_secret_stands_in_a_file_of_ours() -> None:
    environment = [str(part.get("environment", "")) for part in SERVICES.values()]

    assert not [one for one in environment if re.search(r"(TOKEN|PASSWORD|SECRET)'?:", one)]
    assert not re.search(r"(?i)(ENV|ARG) .*(token|password|secret)", DOCKERFILE)


def test_each_service_sees_its_own_key_only() -> None:
    assert texts(SERVICES["collect"], "secrets") == ["collector.key", "writer.token"]
    assert texts(SERVICES["serve"], "secrets") == ["server.key", "community.token"]
    assert [one for one in mounts(SERVICES["collect"]) if "ca/" in one["target"]] == []


@pytest.mark.parametrize("way", ["containers", "systemd"])
@pytest.mark.parametrize("service", ["collect", "serve"])
def test_the_settings_of_each_service_pass_its_own_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, service: str
) -> None:
    broker, secrets = tmp_path / "broker", tmp_path / "secrets"
    authority(tmp_path, datetime.now(UTC) - timedelta(minutes=1))
    config = ["broker", "config", "--folder", str(broker), "--ca", str(tmp_path / "ca")]
    assert main([*config, "--coop", "zonnewijk", "--host", "mosquitto"]) == 0
    shutil.copytree(broker, secrets)
    for token in ("writer.token", "community.token"):
        (secrets / token).write_text("s3cret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secrets))
    shutil.copy(DEPLOY / "config" / "wijk.toml", tmp_path)
    text = (DEPLOY / "config" / way / f"{service}.toml").read_text()
    (tmp_path / "var/lib/kwartier/record").mkdir(parents=True)
    settings = tmp_path / f"{service}.toml"
    settings.write_text(text.replace('"/var/', f'"{tmp_path}/var/'))

    assert main([service, "--config", str(settings), "--check"]) == 0


def test_every_command_of_a_container_or_a_unit_is_one_of_ours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = [" ".join(texts(part, "command")) for part in OURS.values()]
    for unit in SERVICES_OF_SYSTEMD:
        lines += [
            line.removeprefix(START)
            for line in unit.read_text().splitlines()
            if line.startswith(START)
        ]

    assert len(lines) == len(OURS) + len(SERVICES_OF_SYSTEMD)
    for line in lines:
        words = line.split()
        for subject in {"influx": [2], "record": [1, 4]}.get(words[0], [1]):
            with pytest.raises(SystemExit) as ended:
                main([*words[:subject], "--help"])
            assert ended.value.code == 0
        told = capsys.readouterr().out
        assert [word for word in words if word.startswith("--") and word not in told] == []


def test_health_is_asked_where_a_service_answers() -> None:
    collect = (DEPLOY / "config/containers/collect.toml").read_text()
    watched = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in watched}

    assert 'metrics = "0.0.0.0:9101"' in collect
    assert targets == {"kwartier-serve": ["serve:8000"], "kwartier-collect": ["collect:9101"]}
    assert all(re.fullmatch(JOBS, name) for name in targets)
    for name in ("collect", "serve"):
        code = re.search(r"from urllib\S* .*?timeout=4\)", str(SERVICES[name]["healthcheck"]))
        assert code is not None
        compile(code[0].replace("\\'", "'"), name, "exec")


def test_the_image_is_made_of_what_is_pinned_and_runs_as_nobody_in_particular() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    copied = re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)

    assert len(stages) == 2
    assert all(PINNED.fullmatch(stage) for stage in stages)
    assert "--require-hashes --only-binary :all:" in DOCKERFILE
    assert "--no-deps --no-index" in DOCKERFILE
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert (ROOT / copied[0]).exists()


def test_docker_itself_reads_the_compose_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run(
            [docker, "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("docker compose is not installed")

    judged = subprocess.run(
        [docker, "compose", "--file", COMPOSE, "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (judged.returncode, judged.stderr) == (0, "")


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units in a folder, as systemd would find them."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt install systemd")
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS:
        text = unit.read_text().replace("/opt/kwartier/bin/kwartier", "/bin/true")
        (folder / unit.name).write_text(text)
    return folder


def test_the_units_hang_together(laid_out: Path) -> None:
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(laid_out.iterdir())],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{laid_out}:"},
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [line for line in judged.stderr.splitlines() if "kwartier" in line]
    assert (judged.returncode, ours) == (0, [])


def test_no_unit_is_open_to_much(laid_out: Path) -> None:
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", *sorted(laid_out.glob("*.service"))],
        capture_output=True,
        text=True,
        check=False,
    )

    found = re.findall(r"exposure level for (\S+): ([\d.]+)", judged.stdout)
    if not found:
        pytest.skip("this systemd-analyze does not judge units that are not loaded")
    assert {name for name, _ in found} == {unit.name for unit in SERVICES_OF_SYSTEMD}
    assert [(name, level) for name, level in found if float(level) > MOST_EXPOSED] == []


@pytest.mark.broker
def test_a_broker_in_a_container_hears_of_a_revoked_certificate(tmp_path: Path) -> None:
    if mosquitto_program() is None:
        pytest.skip("mosquitto is not installed")
    now = datetime.now(UTC) - timedelta(minutes=1)
    ca = authority(tmp_path, now)
    broker = KnowingBroker.started(tmp_path, ca)
    broker.stop()
    folder = broker.plan.folder
    serial = read_certificate(folder, "collector").serial_number
    environment = {**os.environ, "PATH": f"/usr/sbin:{os.environ['PATH']}"}
    run = ["sh", str(DEPLOY / "mosquitto/run.sh"), str(folder), "0.1"]
    with subprocess.Popen(run, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            broker.wait()
            let_in = ask_broker(broker.for_service("collector"))
            (folder / CRL_FILE).write_bytes(
                revocation_list(read_signer(ca, "issuing"), [Revoked(serial, now)], now)
            )
            until_s, gone = time.monotonic() + 60, False
            while not gone and time.monotonic() < until_s:
                try:
                    ask_broker(broker.for_service("collector"))
                except LinkDownError:
                    gone = True
            with suppress(LinkDownError):
                other = ask_broker(broker.for_service("server"))
        finally:
            process.terminate()
            ended = process.wait(60)

    assert (let_in.reason, gone, other.reason) == ("", True, "")
    assert ended is not None
