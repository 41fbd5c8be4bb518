#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the Linux domains. The one that is called logger asks the sensor for readings,
# writes each into memory that it shares with the viewer, and rings the viewer's bell; the viewer
# reads it, and writes an answer into the same memory.

busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
exec < /dev/null > /dev/kmsg 2>&1

busybox insmod /lib/xen-gntdev.ko
busybox insmod /lib/xen-evtchn.ko
# Takes over ports that the launch has opened. Elsewhere than in dom0, Linux lets programs make
# hypercalls only if it is told to.
busybox insmod /lib/xen-privcmd.ko unrestricted=1

say() { echo "<2>$domain: $*"; }

# Uses the channel $1: a line into /$1.ring notifies, and a line comes out of /$1.rung.
attach() {
  busybox mkfifo "/$1.ring" "/$1.rung"
  domb-link channel "$1" < "/$1.ring" > "/$1.rung" &
}

# What is in the memory $1, as text.
text_of() { domb-link read "$1" | busybox tr -d '\0'; }

domb-link list | while IFS= read -r line; do say "$line"; done

case $domain in
  logger)
    attach ask
    exec 3> /ask.ring 4< /ask.rung
    attach bell
    exec 5> /bell.ring 6< /bell.rung
    read -r word <&4
    say "the sensor is $word"
    read -r word <&6
    say "the viewer is $word"
    for _ in 1 2 3; do
      echo >&3
      read -r _ <&4
      reading=$(text_of reading)
      say "the sensor wrote: $reading"
      echo "$reading" | domb-link write page
      echo >&5
      read -r _ <&6
      say "the viewer wrote: $(text_of page)"
    done
    ;;
  viewer)
    attach bell
    exec 3> /bell.ring 4< /bell.rung
    read -r word <&4
    say "the logger is $word"
    for _ in 1 2 3; do
      read -r _ <&4
      page=$(text_of page)
      say "the logger wrote: $page"
      echo "seen: $page" | domb-link write page
      echo >&3
    done
    ;;
esac

echo "<2>domb: domain is up"

while :; do busybox sleep 86400; done
