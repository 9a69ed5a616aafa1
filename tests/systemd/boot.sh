#!/bin/sh
# Make this process the PID 1 of a machine of its own, in the namespaces it was started in: systemd, over a copy-on-write
# view of this file system. Nothing of what it does outlives it, or is seen outside.
#   boot.sh ROOT CGROUP PYTHON SITE SOURCE
set -eu
root=$1 cgroup=$2 python=$3 site=$4 source=$5

mount --make-rprivate /
if [ "${6:-}" != joined ]; then # a cgroup of its own first, then the namespace that makes it the machine's root
  mount -t cgroup2 cgroup2 "$root"
  mkdir "$root/$cgroup"
  echo $$ > "$root/$cgroup/cgroup.procs"
  umount "$root"
  exec unshare --cgroup "$0" "$@" joined
fi

mount -t tmpfs tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/top"
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/top"
cd "$root/top"
mkdir -p opt/python opt/packages opt/source opt/riotd/bin outside
bind() { mount --rbind "$1" "$2" && mount -o remount,bind,ro "$2"; }
bind "$python" opt/python
bind "$site" opt/packages
bind "$source" opt/source
program() {
  printf '#!/bin/sh\nexport LD_LIBRARY_PATH=/opt/python/lib PYTHONPATH=/opt/source:/opt/source/tasks:/opt/packages\n'
  printf 'exec /opt/python/bin/python3 -m %s "$@"\n' "$1"
}
program riotd > opt/riotd/bin/riotd
program ray.scripts.scripts > opt/riotd/bin/ray
chmod +x opt/riotd/bin/*

mount -t proc proc proc
mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys # the kernel is everybody's
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for device in null zero full random urandom tty; do
  : > dev/$device
  mount --bind /dev/$device dev/$device
done
ln -s /proc/self/fd dev/fd
: > etc/machine-id
: > etc/fstab

pivot_root . outside
umount -l outside
mount --make-rshared / # as systemd expects of who runs it: credentials reach a service by propagation
# What a container is allowed, without what would reach the kernel all share.
bounded=-sys_module,-sys_rawio,-sys_time,-net_admin,-syslog,-mac_admin,-mac_override,-audit_read,-sys_pacct
exec env -i container=riotd-test PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  setpriv --bounding-set "$bounded" /lib/systemd/systemd --system --unit=sysinit.target
