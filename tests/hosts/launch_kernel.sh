#!/usr/bin/env bash
# usage: launch_kernel.sh ARGUMENT...
# Becomes User-Mode Linux with these arguments. At a reboot of the guest the kernel starts itself anew by the name it
# was called by, which is this program: what it had open, the network device above all, is closed first.
for path in /proc/self/fd/*; do
    number=${path##*/}
    [ "$number" -le 2 ] || eval "exec $number>&-"
done
exec -a "$0" linux.uml "$@"
