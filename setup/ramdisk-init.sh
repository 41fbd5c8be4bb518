#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the example domains. They have no console device: what is written to
# /dev/kmsg at a level that "quiet" lets through is all that reaches Xen's log. Linux hands
# "domain=NAME" of its command line on as a variable of the environment.

busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
exec < /dev/null > /dev/kmsg 2>&1

read -r _ memory _ < /proc/meminfo
read -r release < /proc/sys/kernel/osrelease

echo "<2>domb: hello from ${domain:-a domain without a name}"
echo "<2>domb: in userspace: Linux $release, $memory KiB of memory"
echo "<2>domb: domain is up"

while :; do busybox sleep 86400; done
