# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the Services of a stack."""

from __future__ import annotations


class ModuleDocFragment:
    """``podwright.pods.services``."""

    DOCUMENTATION = r"""
options:
  services:
    description:
      - Fronts that stay, before Pods that come and go. The agent keeps them, and a proxy of its own (HAProxy).
      - A Pod takes connections once it is available, and is taken out before it ends.
    type: list
    elements: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: >-
          One more namespace that its names are found in, beside V(default) and the name of the stack. Documents say it
          in their metadata.
        type: str
      selector:
        description: The labels of the Pods behind it, which are of the same stack.
        type: dict
        required: true
      type:
        description: >-
          V(ClusterIP) (the default) has an address of its own on the host, V(NodePort) a port of the host from 30000 to
          32767 beside that, and V(LoadBalancer) takes C(port) of the host.
        type: str
      cluster_ip:
        description: V(None) for a Service without a front.
        type: str
        choices: ["None"]
      ports:
        description: Its ports. A front needs one at least, and names where there are several.
        type: list
        elements: dict
        suboptions:
          port:
            description: Its number.
            type: int
            required: true
          name:
            description: Its name.
            type: str
          target_port:
            description: The port of the Pods, by number or name. The default is C(port).
            type: str
          node_port:
            description: >-
              The port of the host, for the types V(NodePort) and V(LoadBalancer). That of V(NodePort) is chosen by the
              names where it is not said.
            type: int
          host_port:
            description: A port of the host of any number, whatever the type.
            type: int
          protocol:
            description: V(TCP).
            type: str
          app_protocol:
            description: >-
              V(http) sends each request of a connection where it goes best; anything else is TCP. By default a port is
              HTTP that is called C(http) or C(http-...), or that has no name and is 80 or 8080.
            type: str
      session_affinity:
        description: V(ClientIP) keeps a client with one Pod. The default is V(None).
        type: str
        choices: ["None", ClientIP]
      session_affinity_config:
        description: How long that lasts.
        type: dict
        suboptions:
          client_ip:
            description: For affinity by address.
            type: dict
            suboptions:
              timeout_seconds:
                description: After how long a silent client is forgotten. The default is V(10800).
                type: int
      publish_not_ready_addresses:
        description: Whether Pods that are not ready take connections as well.
        type: bool
      drain_seconds:
        description: How long a Pod that is about to end waits for its sessions before that. The default is V(30).
        type: int
"""
