"""The three files that Raspberry Pi OS reads from its boot partition at the first start.

Source:
    cloud-init, data source NoCloud (``user-data``, ``meta-data``) and network configuration
    version 2; Raspberry Pi OS Trixie reads them since its images of October 2025.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

BOOT = "/boot/firmware"
"""Where the boot partition stands on the Pi."""
FOLDER = "kwartier"
"""The folder on it with everything that is ours."""


@dataclass(frozen=True, slots=True)
class Wifi:
    """A wireless network.

    Attributes:
        name: Its SSID.
        password: WPA2 or WPA3 passphrase of 8 to 63 characters; empty for an open network.
        country: Two letters; radios keep silent without.
    """

    name: str
    password: str = field(repr=False)
    country: str = "NL"


def user_data(host: str, ssh_keys: tuple[str, ...], *, read_only: bool) -> str:
    """Return what is done at the first start: a name, no passwords, and the gateway installed.

    Args:
        host: The name on the local network, also as ``HOST.local``.
        ssh_keys: Who may log in as ``installer``; without any nobody can, and ssh stays off.
        read_only: Whether the root becomes read-only after the first start.
    """
    install = ["sh", f"{BOOT}/{FOLDER}/install.sh", f"{BOOT}/{FOLDER}"]
    if read_only:
        install.append("--read-only")
    # A read-only root shares its card with the partition for readings: it does not grow over it.
    fixed = ["growpart:", '  mode: "off"', "resize_rootfs: false"] if read_only else []
    lines = [
        "#cloud-config",
        *fixed,
        f"hostname: {_quoted(host)}",
        "manage_etc_hosts: true",
        "timezone: Europe/Amsterdam",
        "ssh_pwauth: false",
        "disable_root: true",
        *_users(ssh_keys),
        "package_update: false",
        "package_upgrade: false",
        "runcmd:",
        f"  - {json.dumps(install)}",
        *([] if ssh_keys else [f"  - {json.dumps(['systemctl', 'disable', '--now', 'ssh'])}"]),
    ]
    return "\n".join(lines) + "\n"


def network_config(wifi: Wifi | None) -> str:
    """Return the network: a cable always, and a wireless network where one is named.

    Neither is waited for, so that a home without internet starts as fast as one with it.
    """
    lines = [
        "network:",
        "  version: 2",
        "  ethernets:",
        "    eth0:",
        "      dhcp4: true",
        "      optional: true",
    ]
    if wifi is not None:
        lines += [
            "  wifis:",
            "    wlan0:",
            "      dhcp4: true",
            "      optional: true",
            f"      regulatory-domain: {_quoted(wifi.country)}",
            "      access-points:",
            f"        {_quoted(wifi.name)}:" + ("" if wifi.password else " {}"),
        ]
        if wifi.password:
            lines.append(f"          password: {_quoted(wifi.password)}")
    return "\n".join(lines) + "\n"


def meta_data(instance: str, host: str) -> str:
    """Return who this is; another instance makes the Pi begin anew."""
    return f"instance-id: {_quoted(instance)}\nlocal-hostname: {_quoted(host)}\n"


def _users(ssh_keys: tuple[str, ...]) -> list[str]:
    if not ssh_keys:
        return ["users: []"]
    return [
        "users:",
        "  - name: installer",
        "    gecos: installer",
        '    groups: "sudo,dialout"',
        "    shell: /bin/bash",
        "    lock_passwd: true",
        '    sudo: "ALL=(ALL) NOPASSWD:ALL"',
        "    ssh_authorized_keys:",
        *(f"      - {_quoted(key)}" for key in ssh_keys),
    ]


def _quoted(words: str) -> str:
    """Return a text as YAML takes it literally: JSON's strings are YAML's too."""
    return json.dumps(words, ensure_ascii=False)
