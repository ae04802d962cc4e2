"""The first start as it goes: a code on the terminal, and who reads it becomes the operator."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from collectors.sqlite_store import SqliteStore
from tests.api.doors import PASSWORD, code_in
from tests.api.street import DAY, LUNCH_S, community_of, feed_day

SETTINGS = 'community = "wijk.toml"\nstore = "telemetry.db"\nstate = "state"\nport = 0\n'


def folder_of_a_new_house(folder: Path) -> Path:
    community = community_of(5)
    homes = "".join(
        f'[[connection]]\nid = "{home.id}"\nmember = "{home.member}"\ngateway = "{home.gateway}"\n'
        for home in community.connections.values()
    )
    (folder / "wijk.toml").write_text(f'coop = "zonnehof"\nname = "Zonnehof"\n{homes}')
    (folder / "serve.toml").write_text(SETTINGS)
    with SqliteStore(folder / "telemetry.db") as store:
        feed_day(store, community, DAY, LUNCH_S, {})
    return folder / "serve.toml"


def test_who_reads_the_terminal_becomes_the_first_operator(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("kwartier")), "serve", "--config"]
    with subprocess.Popen(
        [*command, str(folder_of_a_new_house(tmp_path))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            printed = "".join(process.stdout.readline() for _ in range(4))
            port, logged = 0, ""
            while not port:
                logged += process.stderr.readline()
                found = re.search(r"on port (\d+) as", logged)
                port = int(found[1]) if found else 0
            origin = {"Origin": f"http://127.0.0.1:{port}"}
            with httpx.Client(base_url=origin["Origin"], headers=origin, timeout=60) as browser:
                code = code_in(printed)
                sent = {"name": "Ina", "login": "ina", "password": PASSWORD}
                wrong = browser.post("/begin", data=sent | {"code": f"2222{code[4:]}"})
                weak = browser.post("/begin", data=sent | {"code": code, "password": "kort"})
                begun = browser.post("/begin", data=sent | {"code": code})
                led = browser.get("/accounts")
                app = browser.get("/mijn/app")
                again = browser.get("/begin")
        finally:
            process.send_signal(signal.SIGTERM)
            logged += process.communicate(timeout=60)[1]

    assert "/begin" in printed
    assert (wrong.status_code, weak.status_code, begun.status_code) == (422, 422, 303)
    assert led.headers["location"].startswith("/bevestig")
    assert (app.status_code, again.status_code) == (200, 404)
    assert code not in logged
