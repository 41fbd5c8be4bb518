#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of two Linux domains that use their links in each way: owner, which has the
# memory and opens the channel, and other. Each writes to Xen's log what it sees.

busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
exec < /dev/null > /dev/kmsg 2>&1

busybox insmod /lib/xen-gntdev.ko
busybox insmod /lib/xen-evtchn.ko
busybox insmod /lib/xen-privcmd.ko unrestricted=1

say() { echo "<2>$domain: $*"; }

# Says what a command writes, line by line, and its exit code.
run() {
  "$@" > /output 2>&1 < "${input:-/dev/null}"
  status=$?
  while IFS= read -r line; do say "$line"; done < /output
  say "$1 $2: exit code $status"
}

text_of() { domb-link read "$1" | busybox tr -d '\0'; }

# Starts a program that uses the channel, and waits until both domains have one.
attach() {
  domb-link channel bell < /ring > /rung &
  program=$!
  exec 3> /ring 4< /rung
  read -r word <&4
  say "channel $1: $word"
}

detach() {
  exec 3>&- 4<&-
  busybox kill "$program"
  wait "$program" 2> /dev/null
}

busybox mkfifo /ring /rung
run domb-link list
case $domain in
  owner)
    attach first
    # Another program can't have the port as well.
    run domb-link channel bell
    echo "from the owner" | domb-link write page
    echo "to be read" | domb-link write view
    echo >&3
    read -r _ <&4
    say "page: $(text_of page)"
    detach
    echo "go on" | domb-link write page
    attach second
    echo >&3
    read -r _ <&4
    say "page: $(text_of page)"
    say "view: $(text_of view)"
    ;;
  other)
    attach first
    read -r _ <&4
    say "page: $(text_of page)"
    busybox dd if=/dev/zero of=/large bs=8193 count=1 2> /dev/null
    input=/large run domb-link write page
    run domb-link write view
    run domb-link read nothing
    run domb-link channel page
    # shellcheck disable=SC2046,SC2154
    run trespass $(echo "$view" | busybox tr : ' ')
    echo "from the other" | domb-link write page
    echo >&3
    until [ "$(text_of page)" = "go on" ]; do busybox usleep 1000; done
    detach
    attach second
    read -r _ <&4
    echo "from the other again" | domb-link write page
    echo >&3
    ;;
esac

echo "<2>domb: domain is up"

while :; do busybox sleep 86400; done
