#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of a classic dom0: says what Xen looks like from inside, and ends the host. It
# has no console device: what is written to /dev/kmsg, a line at a time, reaches Xen's.

busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
exec < /dev/null > /dev/kmsg 2>&1

say() {
  while read -r line; do echo "dom0: $1: $line"; done
}

# The build id is Xen's log's to tell: here it is bytes, not text.
busybox find /sys/hypervisor -type f ! -name buildid | busybox sort | while read -r file; do
  say "$file" < "$file"
done
for file in /proc/iomem /proc/ioports; do
  say "$file" < "$file"
done
busybox ls /sys/bus/xen/devices | say /sys/bus/xen/devices
busybox grep -m 1 flags /proc/cpuinfo | busybox fold -s -w 500 | say /proc/cpuinfo
echo "dom0: is up"

busybox reboot -f
