#!/bin/sh
# Makes an image for gateways from the image of Raspberry Pi OS Lite (64-bit, Trixie). Run as root
# on Debian with qemu-user-static, binfmt-support, parted, dosfstools and e2fsprogs:
#
#     sh image.sh raspios-lite.img CARD kwartier.img
#
# CARD is a folder made by `kwartier provision --wheels … --read-only --out CARD`; an image for
# many homes is made once, and each home's own files are put on its card afterwards.
#
# The image gets a second half: the root is made 5 GiB, and what follows is a partition named
# `kwartier` for readings, keys and programs, so that the root can be read-only.
set -eu

source=${1:?which image? sh image.sh IN.img CARD OUT.img}
card=${2:?which card? sh image.sh IN.img CARD OUT.img}
out=${3:?where to? sh image.sh IN.img CARD OUT.img}
root_mib=${ROOT_MIB:-5120}
state_mib=${STATE_MIB:-1536}

say() { printf 'image: %s\n' "$*"; }
[ "$(id -u)" = 0 ] || { say 'run this as root'; exit 1; }
[ -f "$card/kwartier/install.sh" ] || { say "$card was not made by kwartier provision"; exit 1; }
[ -e "$out" ] && { say "$out is there already"; exit 1; }

mount_point=$(mktemp -d)
loop=
undo() {
    umount -R "$mount_point" 2>/dev/null || true
    [ -z "$loop" ] || losetup -d "$loop" 2>/dev/null || true
    rmdir "$mount_point" 2>/dev/null || true
}
trap undo EXIT
trap 'exit 1' INT TERM

say 'copying'
cp --sparse=always "$source" "$out.part"
boot_end=$(parted -ms "$out.part" unit MiB print | awk -F: '$1 == "1" { sub("MiB", "", $3); print int($3) + 1 }')
root_end=$((boot_end + root_mib))
truncate -s "$((root_end + state_mib + 1))M" "$out.part"
parted -s "$out.part" resizepart 2 "${root_end}MiB"
parted -s "$out.part" mkpart primary ext4 "${root_end}MiB" "$((root_end + state_mib))MiB"

loop=$(losetup --find --show --partscan "$out.part")
e2fsck -fy "${loop}p2" >/dev/null || [ $? -le 1 ]
resize2fs "${loop}p2" >/dev/null 2>&1
mkfs.ext4 -q -L kwartier -E lazy_itable_init=0,lazy_journal_init=0 "${loop}p3"

mount "${loop}p2" "$mount_point"
kept=/srv/kwartier
mkdir -p "$mount_point/boot/firmware" "$mount_point$kept" "$mount_point/var/lib/kwartier" \
    "$mount_point/opt/kwartier"
mount "${loop}p1" "$mount_point/boot/firmware"
mount "${loop}p3" "$mount_point$kept"
mkdir -p "$mount_point$kept/state" "$mount_point$kept/programs"
mount --bind "$mount_point$kept/state" "$mount_point/var/lib/kwartier"
mount --bind "$mount_point$kept/programs" "$mount_point/opt/kwartier"
for folder in proc sys dev; do mount --rbind "/$folder" "$mount_point/$folder"; done
for folder in proc sys dev; do mount --make-rslave "$mount_point/$folder"; done

say 'installing'
cp -r "$card/." "$mount_point/boot/firmware/"
grep -q 'LABEL=kwartier' "$mount_point/etc/fstab" || cat >>"$mount_point/etc/fstab" <<TABLE
LABEL=kwartier $kept ext4 defaults,noatime,commit=60 0 2
$kept/state /var/lib/kwartier none bind,x-systemd.requires-mounts-for=$kept 0 0
$kept/programs /opt/kwartier none bind,x-systemd.requires-mounts-for=$kept 0 0
TABLE
chroot "$mount_point" sh /boot/firmware/kwartier/install.sh /boot/firmware/kwartier
sync
undo
trap - EXIT
mv "$out.part" "$out"
say "$out is ready"
