#!/usr/bin/env bash
# usage: kube_play.sh POD_FILE HTTP_PORT ECHO_PORT [--replace]
# Plays the Pod and waits until both of its servers answer: kube play itself waits for nothing.
set -euo pipefail
pod_file=$1 http_port=$2 echo_port=$3
shift 3
podman kube play "$@" "$pod_file" >/dev/null
until curl --silent --fail --output /dev/null "http://127.0.0.1:$http_port/healthz"; do
    sleep 0.05
done
until (: </dev/tcp/127.0.0.1/"$echo_port") 2>/dev/null; do
    sleep 0.05
done
