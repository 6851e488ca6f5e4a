#!/bin/sh
# usage: kube_play.sh POD_FILE URL [--replace]
# Plays the Pod and waits until the URL answers: kube play itself waits for nothing.
set -eu
pod_file=$1
url=$2
shift 2
podman kube play "$@" "$pod_file" >/dev/null
until curl --silent --fail --output /dev/null "$url"; do
    sleep 0.05
done
