#!/bin/sh
# Installs the gateway on a Raspberry Pi, or in an image of one. Run as root:
#
#     sh install.sh FOLDER [--read-only]
#
# FOLDER holds what `kwartier provision` puts on the card: wheels/, keys/, units/, udev/, site.toml.
# Nothing is fetched from the internet: Debian's python3 and the wheels are all that runs.
# It may be run again at any time, also after a power cut: it changes nothing that is right already.
#
# With KWARTIER_ROOT=FOLDER everything goes below that folder, for a look at it: nothing is given
# to other users and nothing is started.
set -eu

from=${1:?which folder? sh install.sh FOLDER [--read-only]}
read_only=${2:-}
at=${KWARTIER_ROOT:-}
programs=$at/opt/kwartier
state=$at/var/lib/kwartier

say() { printf 'kwartier: %s\n' "$*"; }
stop() { say "$*"; exit 1; }

[ -n "$at" ] || [ "$(id -u)" = 0 ] || stop 'run this as root'
[ -d "$from/units" ] || stop "$from was not made by kwartier provision"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    stop 'python3 of 3.11 or later is wanted: take Raspberry Pi OS Trixie (64-bit)'

# The service's own user owns its readings and keys; programs are root's (decision 0019).
if [ -z "$at" ]; then
    if ! getent passwd kwartier >/dev/null; then
        useradd --system --home-dir "$state" --shell /usr/sbin/nologin --user-group kwartier
    fi
    getent group dialout >/dev/null && usermod -a -G dialout kwartier
    install -d -m 0700 -o kwartier -g kwartier "$state" "$state/inbox"
else
    install -d -m 0700 "$state" "$state/inbox"
fi
install -d -m 0755 "$programs" "$programs/keys"

if [ -d "$from/wheels" ]; then
    set -- "$from"/wheels/kwartier-*.whl
    [ -f "$1" ] || stop "kwartier's own wheel is not in $from/wheels"
    python3 -I -c 'import sys
sys.path.insert(0, sys.argv.pop(1))
from kwartier.cli import main
sys.exit(main())' "$1" update first --wheels "$from/wheels" --root "$programs" >/dev/null
fi
[ -x "$programs/trusted/bin/kwartier" ] ||
    stop "no program is here: run kwartier provision with --wheels, or take an image that has it"
"$programs/trusted/bin/kwartier" --version

for key in "$from"/keys/*.pub; do
    [ ! -f "$key" ] || install -m 0644 "$key" "$programs/keys/"
done
install -d "$at/etc/systemd/system"
for unit in "$from"/units/*.service "$from"/units/*.path "$from"/units/*.timer; do
    [ ! -f "$unit" ] || install -m 0644 "$unit" "$at/etc/systemd/system/"
done
install -D -m 0644 "$from/units/journald-kwartier.conf" "$at/etc/systemd/journald.conf.d/kwartier.conf"
install -D -m 0644 "$from/units/watchdog-kwartier.conf" "$at/etc/systemd/system.conf.d/kwartier.conf"
install -D -m 0644 "$from/udev/60-kwartier.rules" "$at/etc/udev/rules.d/60-kwartier.rules"
# What the home may change itself is put there once, whole, and left alone afterwards.
for file in config.pub site.toml; do
    if [ -f "$from/$file" ] && [ ! -f "$state/$file" ]; then
        install -m 0600 "$from/$file" "$state/$file.new"
        [ -n "$at" ] || chown kwartier:kwartier "$state/$file.new"
        sync
        mv "$state/$file.new" "$state/$file"
    fi
done
# The code on the box's sticker: it leaves the card, which any computer can read.
if [ -f "$from/wizard.code" ]; then
    install -m 0600 "$from/wizard.code" "$state/wizard.code.new"
    [ -n "$at" ] || chown kwartier:kwartier "$state/wizard.code.new"
    sync
    mv "$state/wizard.code.new" "$state/wizard.code"
    rm "$from/wizard.code"
fi
if [ -n "$at" ]; then
    say 'done, below another root'
    exit 0
fi

systemctl enable -q kwartier-gateway.service kwartier-wizard.service kwartier-update.service \
    kwartier-update.path kwartier-fetch.timer

# Bytes are written when readings are kept, and by nothing else.
systemctl disable -q --now dphys-swapfile.service 2>/dev/null || true
systemctl mask -q apt-daily.timer apt-daily-upgrade.timer 2>/dev/null || true

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

sync
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    udevadm control --reload && udevadm trigger --subsystem-match=tty
    systemctl --no-block start kwartier-update.path kwartier-fetch.timer kwartier-gateway.service \
        kwartier-wizard.service
fi
say 'done'
