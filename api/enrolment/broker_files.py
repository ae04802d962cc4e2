"""The broker's settings: who may say and hear what, checked by certificates.

Made for mosquitto 2.0. Two listeners: gateways from outside, whose client id is the name in their
certificate; our own services on this machine, which may take over a gateway's client id. That
cuts a living connection, which a new list of revoked certificates alone does not.

mosquitto 2.0.11 has no switch that refuses MQTT 3.1.1, which answers a forbidden publish with
success: our own programs speak MQTT 5 only, and nothing but the collector's own acknowledgement
lets a gateway forget. It grants a foreign SUBSCRIBE and delivers nothing on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.enrolment.authority import certify_server, certify_service, revocation_list
from api.enrolment.ca_folder import (
    ISSUING,
    key_pem,
    make_folder,
    pem,
    read_certificate,
    read_older,
    read_signer,
)
from api.enrolment.ca_folder import ROOT as ROOT_NAME
from gateway.enrol.kept import write_whole
from kwartier.identity import CoopId
from kwartier.wire import EVERYBODY, ROOT, Lane

CRL_FILE, ACL_FILE, CONF_FILE = "revoked.crl", "gateways.acl", "kwartier.conf"
SERVICES_ACL_FILE = "services.acl"
CA_FILE = "ca.crt"
SERVER = "server"
"""The service that lets gateways in, and the only one that plays them to cut them off."""
SERVICES = ("collector", "planner", SERVER)
GATEWAY_WRITES = (
    Lane.BLOCK,
    Lane.LIVE,
    Lane.STATE,
    Lane.EVENT,
    Lane.RESPONSE,
    Lane.CONFIG_REPORTED,
)
WIZARD_WRITES = (Lane.WIZARD, Lane.PRESSED)
"""What a box says while a home is brought on the air; the server alone hears it."""
GATEWAY_READS = (Lane.COMMAND, Lane.ACK, Lane.EVENT_ACK, Lane.CONFIG_DESIRED)
_WITH_DEVICE = {Lane.BLOCK, Lane.LIVE, Lane.RESPONSE, Lane.COMMAND}


@dataclass(frozen=True, slots=True)
class BrokerPlan:
    """How a broker is to run.

    Attributes:
        coop: Whose topics.
        folder: Where its files are.
        port: Where gateways come in.
        bind: On which address; empty for all.
        services_port: Where our own services come in.
        services_bind: On which address; this machine only unless told.
        state: Where it keeps what waits.
        user: Under which account it runs.
    """

    coop: CoopId
    folder: Path
    port: int = 8883
    bind: str = ""
    services_port: int = 8884
    services_bind: str = "127.0.0.1"
    state: Path = Path("/var/lib/mosquitto")
    user: str = "mosquitto"


def settings_text(plan: BrokerPlan) -> str:
    """Return the file of settings."""
    lines = [
        "# Made by 'kwartier broker config'; make it anew rather than change it.",
        f"user {plan.user}",
        "per_listener_settings true",
        "persistence true",
        f"persistence_location {plan.state}/",
        "# What it loses in a minute the gateways send again.",
        "autosave_interval 60",
        "autosave_on_changes false",
        "persistent_client_expiration 14d",
        "max_queued_messages 10000",
        "max_queued_bytes 67108864",
        "max_inflight_messages 200",
        "max_packet_size 131072",
        "max_keepalive 300",
        "retain_available true",
        "set_tcp_nodelay true",
        "connection_messages false",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "",
        "# Gateways: the name in the certificate is the user and the client id.",
        *_listener(plan, plan.port, plan.bind, ACL_FILE),
        "use_username_as_clientid true",
        "max_connections 2000",
        "max_topic_alias 0",
        "",
        "# Our own services; 'server' takes a gateway's client id over to cut it off.",
        *_listener(plan, plan.services_port, plan.services_bind, SERVICES_ACL_FILE),
        "max_connections 50",
        "",
    ]
    return "\n".join(lines)


def gateways_acl(coop: CoopId) -> str:
    """Return who may say and hear what among gateways: each its own topics, by its name."""
    own = f"{ROOT}/{coop}/%u"
    return "\n".join(
        [
            "# %u is the name in the certificate.",
            *(f"pattern write {own}/{_tail(lane)}" for lane in (*GATEWAY_WRITES, *WIZARD_WRITES)),
            *(f"pattern read {own}/{_tail(lane)}" for lane in (*GATEWAY_READS, Lane.PRESS)),
            "# Its own state, by which it notices a second box of its name.",
            f"pattern read {own}/{Lane.STATE}",
            "",
        ]
    )


def services_acl(coop: CoopId) -> str:
    """Return who may say and hear what among our own services."""
    every = f"{ROOT}/{coop}/+"
    heard = [f"topic read {every}/{_tail(lane)}" for lane in GATEWAY_WRITES]
    return "\n".join(
        [
            "user collector",
            *heard,
            f"topic write {every}/{Lane.ACK}",
            f"topic write {every}/{Lane.EVENT_ACK}",
            "",
            "user planner",
            *heard,
            f"topic write {every}/{Lane.COMMAND}/+",
            f"topic write {ROOT}/{coop}/{EVERYBODY}/{Lane.MOMENT}",
            "",
            f"user {SERVER}",
            *heard,
            *(f"topic read {every}/{lane}" for lane in WIZARD_WRITES),
            f"topic write {every}/{Lane.PRESS}",
            f"topic write {every}/{Lane.COMMAND}/+",
            "# It hears its own wishes too: that is how it knows that the broker has them.",
            f"topic readwrite {every}/{Lane.CONFIG_DESIRED}",
            f"topic readwrite {ROOT}/{coop}/{EVERYBODY}/{Lane.MOMENT}",
            "",
        ]
    )


def write_broker(plan: BrokerPlan, ca: Path, hosts: Sequence[str], now: datetime) -> list[str]:
    """Write all files of a broker and its services; return their names.

    A list of revoked certificates that is there already stays: the server keeps it.

    Raises:
        CaFolderError: The authority is away.
        InputError: A host is no name or address.
        IdentityWriteError: The disk takes nothing.
    """
    issuing = read_signer(ca, ISSUING)
    broker = certify_server(issuing, hosts, now)
    files = {
        CONF_FILE: settings_text(plan),
        ACL_FILE: gateways_acl(plan.coop),
        SERVICES_ACL_FILE: services_acl(plan.coop),
        "systemd/mosquitto.service.d/kwartier.conf": drop_in(plan),
        "systemd/kwartier-broker-reload.path": reload_path(plan),
        "systemd/kwartier-broker-reload.service": RELOAD_SERVICE,
    }
    content = {name: text.encode() for name, text in files.items()}
    content[CA_FILE] = pem(issuing.certificate, read_certificate(ca, ROOT_NAME))
    content["broker.crt"] = pem(broker.certificate, issuing.certificate)
    if not (plan.folder / CRL_FILE).exists():
        issuers = [issuing, *read_older(ca)]
        content[CRL_FILE] = b"".join(revocation_list(each, [], now) for each in issuers)
    for name, whole in content.items():
        make_folder((plan.folder / name).parent)
        write_whole(plan.folder / name, whole)
    write_whole(plan.folder / "broker.key", key_pem(broker.key), 0o600)
    for service in SERVICES:
        made = certify_service(issuing, service, now)
        write_whole(plan.folder / f"{service}.key", key_pem(made.key), 0o600)
        write_whole(plan.folder / f"{service}.crt", pem(made.certificate, issuing.certificate))
    return sorted(
        [*content, "broker.key", *(f"{each}.{end}" for each in SERVICES for end in ("crt", "key"))]
    )


RELOAD_SERVICE = """# Made by 'kwartier broker config'.
[Unit]
Description=Have the broker read its revoked certificates again

[Service]
Type=oneshot
ExecStart=/bin/systemctl reload mosquitto.service
"""


def reload_path(plan: BrokerPlan) -> str:
    """Return the systemd unit that watches the list of revoked certificates."""
    return "\n".join(
        [
            "# Made by 'kwartier broker config': whoever writes the list needs no right to signal.",
            "[Unit]",
            "Description=Watch the broker's revoked certificates",
            "",
            "[Path]",
            f"PathChanged={plan.folder / CRL_FILE}",
            "Unit=kwartier-broker-reload.service",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        ]
    )


def drop_in(plan: BrokerPlan) -> str:
    """Return the drop-in that has mosquitto's own unit run with these settings, and hardened."""
    return "\n".join(
        [
            "# Made by 'kwartier broker config'.",
            "[Service]",
            "ExecStart=",
            f"ExecStart=/usr/sbin/mosquitto -c {plan.folder / CONF_FILE}",
            "Restart=always",
            "RestartSec=2",
            "NoNewPrivileges=true",
            "ProtectSystem=strict",
            "ProtectHome=true",
            "PrivateTmp=true",
            "PrivateDevices=true",
            f"ReadWritePaths={plan.state}",
            "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
            "LimitNOFILE=8192",
            "",
        ]
    )


def _listener(plan: BrokerPlan, port: int, bind: str, acl: str) -> list[str]:
    return [
        f"listener {port} {bind}".rstrip(),
        f"cafile {plan.folder / CA_FILE}",
        f"certfile {plan.folder / 'broker.crt'}",
        f"keyfile {plan.folder / 'broker.key'}",
        f"crlfile {plan.folder / CRL_FILE}",
        "tls_version tlsv1.2",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
        f"acl_file {plan.folder / acl}",
    ]


def _tail(lane: Lane) -> str:
    return f"{lane}/+" if lane in _WITH_DEVICE else lane.value
