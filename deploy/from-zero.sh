#!/bin/bash
# From nothing to the first C# call: a fresh Debian 13 in a folder, systemd as its first process, what the guide installs,
# two gateways, nginx, and a client with the vendor's sample. TOEFL Access is the sandbox.
# from-zero.sh FOLDER; needs root, debootstrap, and a wheel in dist/ (make package). BIND names folders and files of this
# machine that pip needs in there, such as those of a mirror.
set -euo pipefail
root=$(realpath -m "$1")
release=$(realpath "$(dirname "$0")/..")

if [ "${2-}" != inside ]; then
    [ -e "$root/etc/debian_version" ] || debootstrap --variant=minbase trixie "$root" ${MIRROR-}
    exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc bash "$0" "$root" inside
fi

# 1. A machine: what systemd needs of a kernel.
mount --make-rprivate /
mount --bind "$root" "$root"
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
for path in /etc/resolv.conf /etc/hosts ${BIND-}; do
    mkdir -p "$root$(dirname "$path")"
    if [ -d "$path" ]; then mkdir -p "$root$path"; else touch "$root$path"; fi
    mount --bind "$path" "$root$path"
done
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
in_root apt-get update -qq
in_root apt-get install -y -qq --no-install-recommends systemd systemd-sysv dbus procps >/dev/null 2>&1
# Debian starts what it installs, but not before there is a systemd.
printf '#!/bin/sh\n[ -d /run/systemd/system ] || exit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/srv/release"
mount --bind -o ro "$release" "$root/srv/release"
ln -sf /dev/null "$root/etc/systemd/system/systemd-networkd-wait-online.service"

# 2. The guide, as a unit that runs when the machine is up, and then switches it off.
cat >"$root/etc/systemd/system/guide.service" <<END
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /srv/release/deploy/systemd/guide.sh
ExecStopPost=/bin/sh -c 'echo "\$EXIT_STATUS" >/guide.status; systemctl --no-block poweroff'
StandardOutput=file:/guide.txt
StandardError=file:/guide.txt
Environment=DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 ${PIP_CERT+PIP_CERT=$PIP_CERT}
END
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf ../guide.service "$root/etc/systemd/system/multi-user.target.wants/guide.service"
rm -f "$root/guide.txt" "$root/guide.status"
cd "$root"
mkdir -p .host
pivot_root . .host
umount -l /.host
# As a kernel's first process finds it: systemd mounts credentials where services see them.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init >/boot.txt 2>&1
