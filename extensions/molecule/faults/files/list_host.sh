#!/bin/sh
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is on a host, a line for each object.
export PODMAN_IGNORE_CGROUPSV1_WARNING=1
podman pod ps --format 'pod {{.Name}} {{.Status}}'
# Podman 4.3 says for how long, others do not.
podman ps --all --format 'container {{.Names}} {{.State}}' | sed 's/ Up .*/ running/'
podman volume ls --format 'volume {{.Name}}'
