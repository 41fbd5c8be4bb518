#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the control domain: shows what its tools can do, first without xenstore, then
# with one of its own. Each command, what it says and its exit code go to Xen's log, by /dev/kmsg.

busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
exec < /dev/null > /dev/kmsg 2>&1

# Elsewhere than in dom0, Linux lets programs make hypercalls only if it is told to.
busybox insmod /lib/xen-privcmd.ko unrestricted=1
busybox insmod /lib/xen-evtchn.ko

run() {
  echo "<2>control: \$ $*"
  "$@" > /tmp/output 2>&1
  status=$?
  while IFS= read -r line; do echo "<2>control: | $line"; done < /tmp/output
  echo "<2>control: = $status"
}

# Each line is a subcommand of xl with its parameters.
run_xl() {
  # shellcheck disable=SC2086
  while read -r command; do run xl $command; done < /etc/xl-commands
}

run domains list
run domains memory
run domains pause 1
run busybox sleep 0.5
run domains list
run domains unpause 1
run busybox sleep 0.5
run domains destroy 2
run domains list
run domains memory
run domains receipt
run_xl

# It serves the programs of this domain: no other domain is connected to it.
run oxenstored --no-domain-init
run xen-init-dom0
run sh -c "xl dmesg | busybox head -n 1"
run_xl
run domains list
run domains memory

echo "<2>domb: domain is up"
while :; do busybox sleep 86400; done
