#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the Linux domains. The one that is called storage is ready when its volume is
# whole, and says so: whoever waits for it starts then, not when its kernel does.

busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
exec < /dev/null > /dev/kmsg 2>&1

echo "<2>domb: hello from ${domain:-a domain without a name}"
if [ "$domain" = storage ]; then
  busybox insmod /lib/xen-evtchn.ko
  busybox dd if=/dev/urandom of=/volume bs=64k count=16 2> /dev/null
  busybox sha256sum /volume > /volume.sha256
  # Whoever can't say it has failed: what waits for it learns that from its end.
  domb-ready || busybox poweroff -f
  echo "<2>storage: ready"
fi
echo "<2>domb: domain is up"

while :; do busybox sleep 86400; done
