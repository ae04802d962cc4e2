"""A broker says whether it lets us in, and certificates when they end."""

from __future__ import annotations

import getpass
import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.broker import mosquitto_program
from api.doctor.certificates import certificates, revoked
from api.doctor.finding import DAY_S, State
from api.doctor.sockets import ask_broker
from api.enrolment.authority import certify_service, revocation_list
from api.enrolment.broker_files import CA_FILE
from api.enrolment.ca_folder import pem, read_signer
from kwartier.broker import Broker, Tls
from kwartier.errors import LinkDownError
from tests.api.doctor.town import NAME, NOW, TOKEN
from tests.api.enrolling import KnowingBroker, authority, spare_port


@pytest.mark.broker
def test_a_broker_with_certificates_says_whether_it_lets_us_in(tmp_path: Path) -> None:
    broker = KnowingBroker.started(
        tmp_path, authority(tmp_path, datetime.fromtimestamp(NOW - 60, UTC))
    )
    try:
        ours, nobody = broker.for_service("collector"), Tls(broker.plan.folder / CA_FILE)
        let_in = ask_broker(ours)
        with pytest.raises(LinkDownError) as refused:
            ask_broker(replace(ours, tls=nobody))
    finally:
        broker.stop()

    assert let_in.reason == ""
    assert let_in.certificate_until_s is not None
    assert 363 * DAY_S < let_in.certificate_until_s - NOW < 366 * DAY_S
    assert "mqtts://127.0.0.1" in str(refused.value)


@pytest.mark.broker
def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    (tmp_path / "nobody").write_text("")
    port = spare_port()
    (tmp_path / "mosquitto.conf").write_text(
        f"user {getpass.getuser()}\n"
        f"listener {port} 127.0.0.1\nallow_anonymous false\n"
        f"password_file {tmp_path}/nobody\n"
    )
    program = mosquitto_program()
    assert program is not None
    with subprocess.Popen([program, "-c", tmp_path / "mosquitto.conf"]) as process:
        broker = Broker("127.0.0.1", port, None, NAME, TOKEN)
        end_s = time.monotonic() + 60
        answer = None
        while answer is None and time.monotonic() < end_s:
            with suppress(LinkDownError):
                answer = ask_broker(broker)
        process.kill()

    assert answer is not None
    assert answer.reason in {"user or password", "who we are (the certificate)"}


def test_a_broker_that_says_much_of_itself_is_understood() -> None:
    told = b"\x20\x83\x01" + b"\x00\x87" + b"\x80" + b"\x00" * 128
    assert told[1:3] == bytes([131 % 128 | 0x80, 131 // 128])  # MQTT 5.0, section 1.5.5
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            asked, _ = listening.accept()
            with asked, suppress(ConnectionError):  # what was not read ends the link
                asked.sendall(told)
                while asked.recv(1_000):
                    pass

        far = threading.Thread(target=answer)
        far.start()
        found = ask_broker(Broker("127.0.0.1", listening.getsockname()[1]))
        far.join(60)

    assert found.reason == "who we are (the certificate)"


def test_certificates_and_lists_say_when_they_end(tmp_path: Path) -> None:
    ca = authority(tmp_path, datetime.fromtimestamp(NOW - 60, UTC))
    issuing = read_signer(ca, "issuing")
    made = certify_service(issuing, "collector", datetime.fromtimestamp(NOW, UTC))
    (tmp_path / "collector.crt").write_bytes(pem(made.certificate))
    (tmp_path / "revoked.crl").write_bytes(
        revocation_list(issuing, [], datetime.fromtimestamp(NOW, UTC))
    )
    files = {"collector": tmp_path / "collector.crt"}

    ends = [certificates(files, NOW + days * DAY_S).state for days in (0, 340, 366)]
    lists = [revoked(tmp_path / "revoked.crl", NOW + days * DAY_S).state for days in (0, 25, 31)]

    assert ends == lists == [State.GOOD, State.LOOK, State.BROKEN]
