#!/bin/sh
# Installs the gateway on a Raspberry Pi, or in an image of one. Run as root:
#
#     sh install.sh FOLDER [--read-only]
#
# FOLDER holds what `kwartier provision` puts on the card: wheels/, units/, udev/ and site.toml.
# Nothing is fetched from the internet but Debian's packages, and those only when they are missing.
# It may be run again at any time: it changes nothing that is right already.
set -eu

from=${1:?which folder? sh install.sh FOLDER [--read-only]}
read_only=${2:-}
slots=/opt/kwartier/slots
state=/var/lib/kwartier

say() { printf 'kwartier: %s\n' "$*"; }

[ "$(id -u)" = 0 ] || { say 'run this as root'; exit 1; }
[ -d "$from/wheels" ] || { say "there is no folder $from/wheels"; exit 1; }

if ! python3 -c 'import ensurepip' 2>/dev/null; then
    say 'Debian: python3-venv'
    apt-get update -q && apt-get install -y -q --no-install-recommends python3-venv
fi

if ! getent passwd kwartier >/dev/null; then
    useradd --system --home-dir "$state" --shell /usr/sbin/nologin --user-group kwartier
fi
getent group dialout >/dev/null && usermod -a -G dialout kwartier
install -d -m 0700 -o kwartier -g kwartier "$state"
install -d -m 0755 /opt/kwartier "$slots"

# A slot is whole or it is not there: it gets its name when everything is in it.
if [ ! -e "$slots/current" ]; then
    say 'programs'
    rm -rf "$slots/a"
    python3 -m venv "$slots/a"
    "$slots/a/bin/python" -m pip install -q --no-index --find-links "$from/wheels" 'kwartier[gateway]'
    "$slots/a/bin/python" -m compileall -q "$slots/a/lib" || true
    ln -sfn a "$slots/new" && mv -T "$slots/new" "$slots/current"
    sync
fi
"$slots/current/bin/kwartier" --version

for unit in "$from"/units/*.service; do
    install -m 0644 "$unit" /etc/systemd/system/
done
install -D -m 0644 "$from/units/journald-kwartier.conf" /etc/systemd/journald.conf.d/kwartier.conf
install -D -m 0644 "$from/units/watchdog-kwartier.conf" /etc/systemd/system.conf.d/kwartier.conf
install -D -m 0644 "$from/udev/60-kwartier.rules" /etc/udev/rules.d/60-kwartier.rules
if [ -f "$from/site.toml" ] && [ ! -f "$state/site.toml" ]; then
    install -m 0600 -o kwartier -g kwartier "$from/site.toml" "$state/site.toml"
fi

systemctl enable kwartier-gateway.service kwartier-wizard.service

# Bytes are written when readings are kept, and by nothing else.
systemctl disable --now dphys-swapfile.service 2>/dev/null || true
systemctl mask apt-daily.timer apt-daily-upgrade.timer 2>/dev/null || true

if [ "$read_only" = --read-only ]; then
    # Only with a partition of its own for what must stay: else every start would forget readings.
    if ! grep -q 'LABEL=kwartier' /etc/fstab; then
        say 'there is no partition for readings (see image.sh): root stays writable'
    elif command -v raspi-config >/dev/null; then
        say 'root becomes read-only at the next start'
        raspi-config nonint enable_overlayfs
        # Only the root forgets; by default every partition in fstab would.
        sed -i 's/overlayroot=tmpfs\(:recurse=[01]\)\{0,1\}/overlayroot=tmpfs:recurse=0/' \
            /boot/firmware/cmdline.txt
    else
        say 'no raspi-config here: root stays writable'
    fi
fi

if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    udevadm control --reload && udevadm trigger --subsystem-match=tty
    systemctl --no-block start kwartier-gateway.service kwartier-wizard.service
fi
say 'done'
