# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the Ingresses of a stack."""

from __future__ import annotations


class ModuleDocFragment:
    """``podwright.pods.ingresses``."""

    DOCUMENTATION = r"""
options:
  ingresses:
    description:
      - What comes to the host by HTTP and HTTPS, and the O(services) that it goes to.
      - >-
        The agent serves those of all stacks together, at the ports that its role says. No two of them may have a rule
        for the same host and path.
    type: list
    elements: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      rules:
        description: Which requests go where. Without any all go to C(default_backend).
        type: list
        elements: dict
        suboptions:
          host:
            description: >-
              A name such as V(shop.example.com), or V(*.example.com) for names with one label more.
              Without it the rule is for all hosts.
            type: str
          http:
            description: The paths. Without them all requests for the host go to C(default_backend).
            type: dict
            suboptions:
              paths:
                description: >-
                  At least one. The longest path that meets a request counts, and of two such the
                  V(Exact) one.
                type: list
                elements: dict
                required: true
                suboptions:
                  path:
                    description: The path. The default is V(/).
                    type: str
                  path_type:
                    description: >-
                      V(Exact), or V(Prefix) for the path and all below it.
                      V(ImplementationSpecific) is V(Prefix).
                    type: str
                    choices: [Exact, Prefix, ImplementationSpecific]
                    required: true
                  backend:
                    description: Where its requests go.
                    type: dict
                    required: true
                    suboptions: &backend
                      service:
                        description: A Service of the stack.
                        type: dict
                        required: true
                        suboptions:
                          name:
                            description: Its name.
                            type: str
                            required: true
                          port:
                            description: Its port.
                            type: dict
                            required: true
                            suboptions:
                              number:
                                description: By number.
                                type: int
                              name:
                                description: By name.
                                type: str
      default_backend:
        description: Where requests go that no rule is for.
        type: dict
        suboptions: *backend
      tls:
        description: Certificates. A host that has one is redirected to HTTPS.
        type: list
        elements: dict
        suboptions:
          secret_name:
            description: >-
              A Secret of the stack with C(tls.crt), the certificate and those of its chain, and
              C(tls.key).
            type: str
            required: true
          hosts:
            description: The names that it is for. By default those of the rules.
            type: list
            elements: str
      ingress_class_name:
        description: For clusters. One front serves the Ingresses of all classes here.
        type: str
      ssl_redirect:
        description: Whether hosts that have a certificate are redirected to HTTPS. The default is V(true).
        type: bool
      force_ssl_redirect:
        description: Whether all of its hosts are. The default is V(false).
        type: bool
      proxy_body_size:
        description: What a client may send, such as V(8Mi), by the length that it gives. The default is V(0), all.
        type: str
      proxy_connect_timeout:
        description: For how many seconds a Pod may take no connection. The default is V(2).
        type: int
      proxy_read_timeout:
        description: For how many seconds a Pod may send nothing. The default is an hour.
        type: int
      proxy_send_timeout:
        description: For how many seconds a Pod may take nothing. The longer one of both holds for both.
        type: int
      rewrite_target:
        description: >-
          The path that Pods are asked for instead. V(/$2) has in it what the second group in parentheses of the path
          has matched, which is then a regular expression.
        type: str
      use_regex:
        description: >-
          Whether paths that are not V(Exact) are regular expressions, of either case, for what a path
          begins with.
        type: bool
      whitelist_source_range:
        description: The addresses and subnets that may ask. By default all.
        type: list
        elements: str
"""
