#!/usr/bin/python
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module pod: have one Kubernetes-style Pod on a host as it is declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pod
short_description: Have a Pod on a host as it is declared
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - >-
    A Pod is a group of containers that live on one host as one unit: they share an address and its ports, so that they
    reach one another on C(localhost), and they share volumes. This module creates it, changes it, stops it and removes
    it, with Podman.
  - >-
    The Pod is declared in the words of Kubernetes 1.32, either by this module's own options, which are Kubernetes'
    field names in snake_case (C(imagePullPolicy) is C(image_pull_policy)), or by an untouched Kubernetes document
    (O(definition) or O(src)). Both are read by the same rules.
  - >-
    The whole declaration is judged on the control node. Everything that is wrong with it is reported at once, with the
    path of each field, before any host is touched. Before anything on a host is touched, that host refuses what it
    cannot have: host ports that are taken, names that belong to others, resources that it lacks.
  - >-
    A change replaces as little as it can. CPU and memory limits change in place. An image, a command or a variable
    replaces one container. Only what the Pod itself is made of, such as host ports, replaces the Pod. RV(actions) says
    what is replaced, and why.
  - >-
    What somebody else changed, stopped or removed by hand is put right. Containers and pods that this collection has
    not made are never touched.
extends_documentation_fragment:
  - podwright.pods.attributes.applying
  - podwright.pods.attributes
  - podwright.pods.configuration
options:
  state:
    description:
      - V(started) has the Pod running as it is declared. Ended containers are started again as O(restart_policy) says.
      - >-
        V(stopped) ends its containers in order, hooks and all, and keeps the Pod, its containers and its data. The
        O(name) alone is enough for it.
      - >-
        V(absent) ends and removes the Pod with its containers and its C(emptyDir) volumes. Named volumes and host
        directories are kept with their data. The O(name) alone is enough, or the definition to take it from.
    type: str
    choices: [started, stopped, absent]
    default: started
  wait:
    description:
      - >-
        Wait until every container is ready: started, its startup probe passed and its readiness probe succeeding. In a
        Pod that ends by itself (O(restart_policy=Never) or O(restart_policy=OnFailure)) a container that has ended with
        exit code 0 is ready too.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds that the run may take until the Pod is ready. After them it fails, as O(on_failure) says.
    type: int
    default: 300
  on_failure:
    description:
      - What to do when an update fails, or does not become ready in time. The task fails in either case.
      - >-
        V(rollback) goes back to the declaration that was ready before. Where there was none, it leaves things as
        V(keep) does.
        What is brought back may take a minute to be ready again, even where O(wait_timeout) is less.
      - V(keep) leaves everything as the failure left it, to be looked at.
    type: str
    choices: [rollback, keep]
    default: rollback
  grace_period_seconds:
    description:
      - >-
        For this run, how long containers have to end once they are stopped, in place of
        O(termination_grace_period_seconds); as C(kubectl delete --grace-period).
      - V(0) ends them at once, without their preStop hooks.
      - >-
        A run that is ending them already, with more patience, is hurried: what has not ended when this grace period is
        over is killed.
      - For the states V(stopped) and V(absent) of O(state).
    type: int
  allocatable:
    description:
      - >-
        What all Pods on the host may request together. A Pod that does not fit is refused with C(OutOfcpu),
        C(OutOfmemory) or C(OutOfpods).
      - The default is all that the host has.
    type: dict
    suboptions:
      cpu:
        description: CPU, in cores (V(3.5)) or millicores (V(3500m)).
        type: str
      memory:
        description: Memory, such as V(6Gi).
        type: str
      pods:
        description: The number of Pods. The default is Kubernetes' own, 110.
        type: int
  host_labels:
    description: >-
      Labels that this host has beside its own, for O(node_selector) and O(affinity), such as V({disktype: ssd}).
    type: dict
  definition:
    description:
      - >-
        One Kubernetes v1 Pod, with the ConfigMaps and Secrets that it uses, as YAML or JSON text (several documents if
        need be), as a mapping, or as a list of either. C(kind: List) is taken apart.
      - >-
        Beside it may stand only the options that say how the run goes (O(state), O(wait), O(wait_timeout),
        O(on_failure), O(grace_period_seconds), O(allocatable), O(host_labels)) and those that Kubernetes has no field
        for (O(infra), O(networks), O(log_size_max), O(min_ready_seconds), O(config_maps), O(secrets)).
      - >-
        Fields that say nothing on a host of its own, such as C(namespace), and what the API server writes into exported
        documents, such as C(status), are ignored. Fields that ask for what one host cannot do are refused by name.
      - Text is read as Kubernetes reads it, with keys that are given twice and unknown fields refused.
    type: raw
  src:
    description:
      - >-
        A file with such documents on the control node, looked for in C(files/) of the role or playbook and beside them.
        It may be encrypted with Ansible Vault. It is not a template; for that give
        C(definition: "{{ lookup('ansible.builtin.template', 'pod.yml.j2') }}").
      - Mutually exclusive with O(definition).
    type: path
  name:
    description:
      - The name of the Pod, at most 63 lower-case letters, digits, C(-) and C(.).
      - The containers are called C(NAME-CONTAINER) in Podman.
      - Required unless a definition brings it.
    type: str
  labels:
    description: Labels to find the Pod by, as with M(podwright.pods.pod_info). C(io.podwright) ones are reserved.
    type: dict
  annotations:
    description: Notes that the Pod carries. Containers can read them (C(downward_api)).
    type: dict
  containers:
    description:
      - The containers of the Pod, at least one. They are started in this order and end all at once.
      - Required with O(state=started) unless a definition brings them.
    type: list
    elements: dict
    suboptions: &container_options
      name:
        description: The name of the container in the Pod, at most 63 lower-case letters, digits and C(-).
        type: str
        required: true
      image:
        description:
          - >-
            The image, as in C(docker.io/library/httpd:2.4). A name without a registry is completed by the
            C(registries.conf) of the host.
          - An image that was only built on the host (M(podwright.pods.image)) is one of C(localhost/).
        type: str
        required: true
      image_pull_policy:
        description:
          - When to pull the image.
          - The default is V(Always) for the tag C(latest) and for a name without a tag, and V(IfNotPresent) otherwise.
        type: str
        choices: [Always, IfNotPresent, Never]
      command:
        description:
          - The program and its first arguments, in place of the image's C(ENTRYPOINT) and C(CMD). No shell is involved.
          - V($(NAME\)) stands for a variable of the container, C($$) for a dollar sign.
          - The default is the image's.
        type: list
        elements: str
      args:
        description: Arguments for the program, in place of the image's C(CMD). V($(NAME\)) works as in C(command).
        type: list
        elements: str
      working_dir:
        description: The directory that the program starts in. The default is the image's.
        type: str
      env:
        description:
          - Environment variables, in order. Of two with the same name the later one counts.
          - V($(NAME\)) in a value stands for a variable before it.
        type: list
        elements: dict
        suboptions:
          name:
            description: The name of the variable.
            type: str
            required: true
          value:
            description: Its value. The default is empty text. Put numbers and words such as C(yes) in quotes.
            type: str
          value_from:
            description: Where to take the value from, instead. Exactly one of these.
            type: dict
            suboptions:
              config_map_key_ref:
                description: A key of an object given in O(config_maps) or the definition.
                type: dict
                suboptions: &key_reference
                  name: &object_name
                    description: The name of the object.
                    type: str
                    required: true
                  key:
                    description: The key.
                    type: str
                    required: true
                  optional: &reference_optional
                    description:
                      - Whether it may be missing; then there is nothing in its place. The default is V(false).
                    type: bool
              secret_key_ref:
                description:
                  - >-
                    A key of an object given in O(secrets) or the definition. The value shows in no output, label or
                    command line, nor in C(podman inspect).
                type: dict
                suboptions: *key_reference
              field_ref: &field_reference
                description: Something known of the Pod itself.
                type: dict
                suboptions:
                  field_path:
                    description:
                      - >-
                        One of C(metadata.name), C(metadata.namespace), C(metadata.uid), C(metadata.labels['KEY']),
                        C(metadata.annotations['KEY']); in variables C(spec.nodeName), C(spec.serviceAccountName),
                        C(status.hostIP), C(status.hostIPs), C(status.podIP), C(status.podIPs) as well; in files all
                        C(metadata.labels) and C(metadata.annotations).
                    type: str
                    required: true
                  api_version:
                    description: The version of the Pod's fields. The default is V(v1), the only one.
                    type: str
                    choices: [v1]
              resource_field_ref: &resource_reference
                description: A request or limit of a container.
                type: dict
                suboptions:
                  resource:
                    description: Which one.
                    type: str
                    required: true
                    choices: [limits.cpu, limits.memory, requests.cpu, requests.memory, requests.ephemeral-storage]
                  container_name:
                    description: The container it belongs to. The default in variables is their own; files need it.
                    type: str
                  divisor:
                    description: The unit, such as V(1Mi) or V(1m). The default is V(1), in cores and bytes, rounded up.
                    type: str
      env_from:
        description: Objects whose every key becomes a variable. The ones in C(env) win over them.
        type: list
        elements: dict
        suboptions:
          prefix:
            description: Text to put before each key. The default is none.
            type: str
          config_map_ref: &object_reference
            description: The object. Exactly one of the two.
            type: dict
            suboptions:
              name: *object_name
              optional: *reference_optional
          secret_ref: *object_reference
      ports:
        description:
          - Ports that the container listens on. Within the Pod all ports are open; this names and publishes them.
        type: list
        elements: dict
        suboptions:
          container_port:
            description: The port in the container.
            type: int
            required: true
          name:
            description: A name for it, for probes and hooks to use. At most 15 lower-case letters, digits and C(-).
            type: str
          host_port:
            description: The port of the host that leads to it. Without it the port is not reached from other hosts.
            type: int
          host_ip:
            description: The address of the host to publish it on, such as V(127.0.0.1). The default is all of them.
            type: str
          protocol:
            description: Its protocol. The default is V(TCP).
            type: str
            choices: [TCP, UDP, SCTP]
      resources:
        description:
          - >-
            What the container needs at least (C(requests)) and may use at most (C(limits)). A request that is left out
            is the limit. Changes of them are made in place.
          - CPU over its limit is slowed down. Memory over its limit ends the container (C(OOMKilled)).
        type: dict
        suboptions: &resources_options
          requests: &amounts_option
            description: The amounts.
            type: dict
            suboptions:
              cpu:
                description: CPU in cores (V(0.5)) or millicores (V(500m)).
                type: str
              memory:
                description: >-
                  Memory in bytes, with V(k), V(M), V(G) for powers of 1000 and V(Ki), V(Mi), V(Gi) for those of 1024.
                type: str
          limits: *amounts_option
      resize_policy:
        description: What a change of C(resources) does to the container.
        type: list
        elements: dict
        suboptions:
          resource_name:
            description: The resource that changes.
            type: str
            required: true
            choices: [cpu, memory]
          restart_policy:
            description: V(RestartContainer) restarts the container with it. The default is V(NotRequired).
            type: str
            choices: [NotRequired, RestartContainer]
      volume_mounts:
        description: Where the container sees which of the O(volumes).
        type: list
        elements: dict
        suboptions:
          name:
            description: The name of one of the O(volumes).
            type: str
            required: true
          mount_path:
            description: The directory in the container, absolute. None twice.
            type: str
            required: true
          sub_path:
            description: A directory or file in the volume to mount, instead of all of it. Relative, without C(..).
            type: str
          sub_path_expr:
            description: The same with V($(NAME\)) for variables of the container. Only one of the two.
            type: str
          read_only:
            description: Whether the container can only read it. The default is V(false).
            type: bool
          mount_propagation:
            description:
              - >-
                Whether mounts made later below it are seen on the other side: V(HostToContainer) in the container,
                V(Bidirectional) on both sides, for privileged containers only. The default is V(None).
            type: str
            choices: ["None", HostToContainer, Bidirectional]
      startup_probe:
        description: How to tell that the container has started. Until it succeeds no other probe runs.
        type: dict
        suboptions: &probe_options
          exec: &exec_action
            description: Run a program in the container. Exit code 0 is success.
            type: dict
            suboptions:
              command:
                description: The program with its arguments. No shell is involved.
                type: list
                elements: str
                required: true
          http_get: &http_get_action
            description:
              - >-
                Make an HTTP GET request, from the network of the Pod; nothing has to be installed in the image. A
                status from 200 to 399 is success.
            type: dict
            suboptions:
              port: &port_reference
                description: The port, as a number or the name of one of the container's ports.
                type: str
                required: true
              path:
                description: The path, with its query. The default is V(/).
                type: str
              host: &host_option
                description: The host to connect to. The default is the Pod itself.
                type: str
              scheme:
                description: V(HTTPS) for TLS; the certificate is not verified. The default is V(HTTP).
                type: str
                choices: [HTTP, HTTPS]
              http_headers:
                description: Headers to send.
                type: list
                elements: dict
                suboptions:
                  name:
                    description: The name of the header.
                    type: str
                    required: true
                  value:
                    description: Its value. The default is empty text.
                    type: str
          tcp_socket: &tcp_socket_action
            description: Open a TCP connection, from the network of the Pod. That it opens is success.
            type: dict
            suboptions:
              port: *port_reference
              host: *host_option
          grpc:
            description: Ask the gRPC health service (C(grpc.health.v1)). C(SERVING) is success.
            type: dict
            suboptions:
              port:
                description: The port, as a number.
                type: int
                required: true
              service:
                description: The name of the service to ask for. The default is empty text, the server as a whole.
                type: str
          initial_delay_seconds:
            description: Seconds from the start of the container to the first attempt. The default is V(0).
            type: int
          period_seconds:
            description: Seconds from one attempt to the next. The default is V(10).
            type: int
          timeout_seconds:
            description: Seconds after which an attempt has failed. The default is V(1).
            type: int
          success_threshold:
            description: >-
              Successes in a row that it takes after a failure. The default is V(1), the only value that liveness and
              startup probes can have.
            type: int
          failure_threshold:
            description: Failures in a row that it takes. The default is V(3).
            type: int
          termination_grace_period_seconds:
            description: >-
              Seconds to end the container in when this probe has failed. The default is the Pod's
              O(termination_grace_period_seconds). Not for readiness probes.
            type: int
      liveness_probe:
        description:
          - How to tell that the container still works. When it fails, the container is ended and started again.
          - >-
            Between runs Podman keeps it, if it is an C(exec) probe and the host has systemd. A warning says so where it
            is not kept.
        type: dict
        suboptions: *probe_options
      readiness_probe:
        description: How to tell that the container is ready to serve. O(wait) waits for it.
        type: dict
        suboptions: *probe_options
      lifecycle:
        description: What to do at the start and before the end of the container.
        type: dict
        suboptions:
          post_start:
            description:
              - >-
                Done right after the start. The next container waits for it; a failure ends the container. Exactly one
                of these.
            type: dict
            suboptions: &hook_options
              exec: *exec_action
              http_get: *http_get_action
              tcp_socket: *tcp_socket_action
              sleep:
                description: Let some time pass.
                type: dict
                suboptions:
                  seconds:
                    description: How many seconds, at most O(termination_grace_period_seconds).
                    type: int
                    required: true
          pre_stop:
            description:
              - >-
                Done before the container is told to end, within O(termination_grace_period_seconds). Exactly one of
                these.
            type: dict
            suboptions: *hook_options
      security_context:
        description: As whom, and with which rights, the container runs. It wins over the Pod's O(security_context).
        type: dict
        suboptions:
          <<: &shared_security
            run_as_user:
              description: The user's number. The default is the image's user.
              type: int
            run_as_group:
              description: The group's number. The default is the user's group in the image.
              type: int
            run_as_non_root:
              description: >-
                Refuse to start as root. The user must be a number, here or in the image. The default is V(false).
              type: bool
            seccomp_profile:
              description: The filter of system calls. The default is Podman's own.
              type: dict
              suboptions: &profile_options
                type:
                  description: V(RuntimeDefault) for Podman's own, V(Unconfined) for none, V(Localhost) for another.
                  type: str
                  required: true
                  choices: [RuntimeDefault, Unconfined, Localhost]
                localhost_profile:
                  description: The path (seccomp) or the name (AppArmor) of that other profile on the host.
                  type: str
            app_armor_profile:
              description: The AppArmor profile, on hosts that have it. The default is Podman's own.
              type: dict
              suboptions: *profile_options
            se_linux_options:
              description: The SELinux label, on hosts that have it. The default is one of Podman's making.
              type: dict
              suboptions:
                user:
                  description: Its user.
                  type: str
                role:
                  description: Its role.
                  type: str
                type:
                  description: Its type.
                  type: str
                level:
                  description: Its level.
                  type: str
          privileged:
            description: Whether it has all rights on the host. The default is V(false).
            type: bool
          read_only_root_filesystem:
            description: Whether it can write to its mounted volumes only. The default is V(false).
            type: bool
          allow_privilege_escalation:
            description: >-
              Whether a program in it can gain rights by C(setuid) and the like. The default is V(true).
            type: bool
          capabilities:
            description: Capabilities to have beside, or instead of, Podman's default ones.
            type: dict
            suboptions:
              add:
                description: To have as well, such as C(NET_ADMIN), or C(ALL).
                type: list
                elements: str
              drop:
                description: Not to have, such as C(CHOWN), or C(ALL).
                type: list
                elements: str
      termination_message_path:
        description: >-
          The file that the container may write its last words to, for the Pod's status. The default is
          V(/dev/termination-log).
        type: str
      termination_message_policy:
        description: >-
          V(FallbackToLogsOnError) takes the end of its log where that file is empty and it failed. The default is
          V(File).
        type: str
        choices: [File, FallbackToLogsOnError]
      stdin:
        description: Whether its standard input stays open. The default is V(false).
        type: bool
      stdin_once:
        description: Whether that closes after the first client. The default is V(false).
        type: bool
      tty:
        description: Whether it has a terminal. The default is V(false).
        type: bool
  init_containers:
    description:
      - >-
        Containers that run before the O(containers), one after another, each to its successful end. Ones with
        C(restart_policy=Always) are sidecars: the next one starts as soon as it has started (its startup probe passed),
        and it runs on beside the O(containers), to be ended after them.
      - Probes and C(lifecycle) are for sidecars only.
    type: list
    elements: dict
    suboptions:
      <<: *container_options
      restart_policy:
        description: V(Always) makes it a sidecar.
        type: str
        choices: [Always]
  volumes:
    description:
      - >-
        Directories and files for the containers to mount (C(volume_mounts)). Each has a name and one source; without a
        source it is an C(empty_dir).
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the volume in the Pod.
        type: str
        required: true
      empty_dir:
        description: A directory that is empty at first and goes with the Pod. Write V({}) for the defaults.
        type: dict
        suboptions:
          medium:
            description: V(Memory) keeps it in memory. The default is empty text, the host's disk.
            type: str
            choices: ["", Memory]
          size_limit:
            description: How much may be written to it, such as V(64Mi). It is enforced in memory only.
            type: str
      host_path:
        description: A file or directory of the host.
        type: dict
        suboptions:
          path:
            description: Its absolute path, without C(..).
            type: str
            required: true
          type:
            description: >-
              What it must be; V(DirectoryOrCreate) and V(FileOrCreate) make it when it is missing. The default is empty
              text, anything that exists.
            type: str
            choices: ["", DirectoryOrCreate, Directory, FileOrCreate, File, Socket, CharDevice, BlockDevice]
      persistent_volume_claim:
        description:
          - A named volume of Podman, made when it is missing. Its data outlives the Pod and is never removed with it.
        type: dict
        suboptions:
          claim_name:
            description: The name of the volume in Podman.
            type: str
            required: true
          read_only:
            description: Whether containers can only read it. The default is V(false).
            type: bool
      config_map:
        description: Files with the content of an object given in O(config_maps) or the definition.
        type: dict
        suboptions:
          name: *object_name
          items: &items_option
            description: The keys to have, and the files they become. The default is every key, as a file of that name.
            type: list
            elements: dict
            suboptions:
              key:
                description: The key.
                type: str
                required: true
              path: &file_path
                description: The file in the volume, relative, without C(..).
                type: str
                required: true
              mode: &file_mode
                description: The permissions of the file, as in V("0400"). The default is the volume's.
                type: raw
          default_mode: &default_mode
            description: The permissions of the files, as in V("0644"), which is the default.
            type: raw
          optional: *reference_optional
      secret:
        description: Files with the content of an object given in O(secrets) or the definition.
        type: dict
        suboptions:
          secret_name: *object_name
          items: *items_option
          default_mode: *default_mode
          optional: *reference_optional
      downward_api:
        description: Files with what is known of the Pod itself.
        type: dict
        suboptions:
          items: &downward_items
            description: The files. Each with exactly one of C(field_ref) and C(resource_field_ref).
            type: list
            elements: dict
            suboptions:
              path: *file_path
              field_ref: *field_reference
              resource_field_ref: *resource_reference
              mode: *file_mode
          default_mode: *default_mode
      projected:
        description: Several sources in one directory.
        type: dict
        suboptions:
          sources:
            description: The sources, each exactly one of these. No two may make the same file.
            type: list
            elements: dict
            suboptions:
              config_map: &projection
                description: Files with the content of an object.
                type: dict
                suboptions:
                  name: *object_name
                  items: *items_option
                  optional: *reference_optional
              secret: *projection
              downward_api:
                description: Files with what is known of the Pod itself.
                type: dict
                suboptions:
                  items: *downward_items
          default_mode: *default_mode
  restart_policy:
    description:
      - >-
        What to do when one of the O(containers) ends: V(Always) starts it again, V(OnFailure) only when it failed,
        V(Never) not at all.
      - The default is V(Always).
    type: str
    choices: [Always, OnFailure, Never]
  termination_grace_period_seconds:
    description:
      - Seconds that the containers have to end, C(pre_stop) hooks included, before they are killed.
      - The default is V(30).
    type: int
  active_deadline_seconds:
    description:
      - >-
        Seconds, counted from the Pod's C(startTime), after which it has failed (C(DeadlineExceeded)): its containers
        are ended with their hooks and grace period, and none is started again. The default is no such deadline.
      - >-
        The agent ends it when the time has come, the next run where there is none. From then on a run that finds the
        same declaration changes nothing. As after any other failure it fails too, unless O(wait) is off.
      - >-
        A changed declaration starts the Pod over, with its whole time. So does V(started) after V(stopped) or
        V(absent).
    type: int
  hostname:
    description: The host name inside the Pod. The default is O(name).
    type: str
  subdomain:
    description: The headless Service of the stack by whose name, after that of the Pod, other Pods find this one.
    type: str
  enable_service_links:
    description: >-
        Whether containers that are made get variables of the Services of their stack, such as C(WEB_SERVICE_HOST). The
        default is V(true).
    type: bool
  host_network:
    description:
      - >-
        Whether the Pod uses the network of the host itself. Its ports are the host's then: C(host_port) must equal
        C(container_port) where it is given.
      - The default is V(false).
    type: bool
  host_pid:
    description: Whether the containers see the processes of the host. The default is V(false).
    type: bool
  host_ipc:
    description: Whether the containers share System V IPC and shared memory with the host. The default is V(false).
    type: bool
  share_process_namespace:
    description:
      - >-
        Whether the containers see the processes of one another. The infra container is process 1 then, and reaps those
        that lost their parent.
      - The default is V(false).
    type: bool
  host_aliases:
    description: Lines for C(/etc/hosts) of the containers.
    type: list
    elements: dict
    suboptions:
      ip:
        description: The address.
        type: str
        required: true
      hostnames:
        description: The names for it.
        type: list
        elements: str
  dns_policy:
    description:
      - >-
        V(None) takes the name servers of O(dns_config) only, which must be given then. All others stand for what Podman
        sets up: its network's own name server, or that of the host.
      - The default is V(ClusterFirst).
    type: str
    choices: [ClusterFirst, ClusterFirstWithHostNet, Default, "None"]
  dns_config:
    description: What to put into C(/etc/resolv.conf) of the containers.
    type: dict
    suboptions:
      nameservers:
        description: Addresses of name servers, at most 3.
        type: list
        elements: str
      searches:
        description: Domains to search, at most 32.
        type: list
        elements: str
      options:
        description: Options of the resolver.
        type: list
        elements: dict
        suboptions:
          name:
            description: The option, such as V(ndots).
            type: str
            required: true
          value:
            description: Its value. The default is none.
            type: str
  security_context:
    description: As whom the containers run, unless they say otherwise themselves, and settings of the Pod as a whole.
    type: dict
    suboptions:
      <<: *shared_security
      fs_group:
        description: A group that every process belongs to, and that is given the Pod's own volumes.
        type: int
      fs_group_change_policy:
        description: V(OnRootMismatch) leaves a volume alone whose directory has the group. The default is V(Always).
        type: str
        choices: [Always, OnRootMismatch]
      supplemental_groups:
        description: More groups that every process belongs to, by number.
        type: list
        elements: int
      sysctls:
        description: Settings of the Pod's own kernel namespaces.
        type: list
        elements: dict
        suboptions:
          name:
            description: The setting, such as V(net.ipv4.ip_unprivileged_port_start).
            type: str
            required: true
          value:
            description: Its value.
            type: str
            required: true
  resources:
    description:
      - >-
        What the Pod as a whole needs at least (C(requests)) and may use at most (C(limits)). The default is the sum of
        its containers'; a limit only if every container has one.
    type: dict
    suboptions: *resources_options
  readiness_gates:
    description: Conditions beside the readiness of the containers that the Pod needs to be ready.
    type: list
    elements: dict
    suboptions:
      condition_type:
        description: The type of the condition.
        type: str
        required: true
  node_selector:
    description:
      - >-
        What the host has to be, by its labels: C(kubernetes.io/os), C(kubernetes.io/arch) (V(amd64), V(arm64), ...),
        C(kubernetes.io/hostname), and those of O(host_labels). Another host refuses the Pod; the module
        M(podwright.pods.stack) skips it there.
    type: dict
  affinity:
    description: What the host has to be, as with O(node_selector), by expressions.
    type: dict
    suboptions:
      node_affinity:
        description: What is said of hosts.
        type: dict
        suboptions:
          required_during_scheduling_ignored_during_execution:
            description: What has to hold when the Pod is created or changed.
            type: dict
            suboptions:
              node_selector_terms:
                description: Terms of which one has to be met.
                type: list
                elements: dict
                required: true
                suboptions:
                  match_expressions:
                    description: Labels of the host, all of which have to be as they are here.
                    type: list
                    elements: dict
                    suboptions:
                      key:
                        description: The label.
                        type: str
                        required: true
                      operator: &requirement_operator
                        description: >-
                          How it is compared with O(ignore:values). V(NotIn) holds without the label as well; V(Gt) and
                          V(Lt) take one whole number.
                        type: str
                        choices: [In, NotIn, Exists, DoesNotExist, Gt, Lt]
                        required: true
                      values: &requirement_values
                        description: The values, none with V(Exists) and V(DoesNotExist).
                        type: list
                        elements: str
                  match_fields:
                    description: The host itself, C(metadata.name) by V(In) or V(NotIn); it is the host's name.
                    type: list
                    elements: dict
                    suboptions:
                      key:
                        description: The field.
                        type: str
                        choices: [metadata.name]
                        required: true
                      operator: *requirement_operator
                      values: *requirement_values
  image_pull_secrets:
    description:
      - >-
        Secrets among O(secrets) that images are pulled with. Each has the key C(.dockerconfigjson), as
        C(podman login --authfile) writes it and Kubernetes has it: registries with their credentials.
      - >-
        They are asked in the order of how much of the image's name their registries match. Without a match the host's
        own logins hold.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the Secret.
        type: str
        required: true
  infra:
    description: The infra (pause) container, which starts first and holds what the containers share.
    type: dict
    suboptions:
      image:
        description: Its image. The default is Podman's own, which needs no registry.
        type: str
      command:
        description: Its program with its arguments. The default is the image's.
        type: list
        elements: str
      name:
        description: Its name in Podman. The default is C(NAME-infra).
        type: str
  networks:
    description:
      - Networks of Podman to join, each by its name. They must exist.
      - The default is Podman's default network.
    type: list
    elements: str
  log_size_max:
    description:
      - >-
        How large the log of a container may grow, as an amount such as V(10Mi), at least V(8Ki). The next line then
        starts it over, as Podman does. V(0) leaves it to C(log_size_max) in the host's C(containers.conf), which has
        no limit unless you set one. The default is V(50Mi).
      - A changed value takes effect when a container is next replaced; nothing is restarted for it.
    type: str
  min_ready_seconds:
    description:
      - >-
        For how long each container must have been ready, seen alive by the kernel, to be taken for good. What a
        declaration is waited for, and what makes it one to go back to, is this.
      - >-
        The default is V(1) for a container that has neither a readiness nor a startup probe, so that a program which
        ends at once is not taken for one that serves, and V(0) for one that has. A program that takes longer to find
        out that it cannot work needs more, or better a probe.
    type: int
seealso:
  - module: podwright.pods.pod_info
  - module: podwright.pods.image
  - name: Pods in Kubernetes
    description: What a Pod is, and every field of it.
    link: https://kubernetes.io/docs/concepts/workloads/pods/
"""

EXAMPLES = r"""
- name: A web server
  podwright.pods.pod:
    name: web
    containers:
      - name: httpd
        image: docker.io/library/httpd:2.4
        ports:
          - container_port: 80
            host_port: 8080
        resources:
          limits: {cpu: 500m, memory: 128Mi}

- name: Probes and hooks
  podwright.pods.pod:
    name: shop
    termination_grace_period_seconds: 60
    containers:
      - name: api
        image: registry.example.com/shop/api:3.1
        ports:
          - {name: http, container_port: 8000, host_port: 8000}
        startup_probe:  # up to 30 x 2 seconds to start
          http_get: {path: /healthz, port: http}
          period_seconds: 2
          failure_threshold: 30
        readiness_probe:
          http_get: {path: /ready, port: http}
          period_seconds: 5
        liveness_probe:
          exec:
            command: [/usr/bin/check-alive, --quick]
          period_seconds: 20
          timeout_seconds: 3
        lifecycle:
          post_start:
            exec:
              command: [/usr/bin/warm-cache]
          pre_stop:
            sleep:
              seconds: 5  # for clients to go elsewhere

- name: An init container that fetches the content, and a sidecar that keeps it fresh
  podwright.pods.pod:
    name: site
    init_containers:
      - name: fetch
        image: docker.io/alpine/git:2.45
        args: [clone, --depth=1, "https://git.example.com/site.git", /content/site]
        volume_mounts:
          - {name: content, mount_path: /content}
      - name: pull
        image: docker.io/alpine/git:2.45
        restart_policy: Always
        command: [sh, -c, "while sleep 60; do git -C /content/site pull --ff-only; done"]
        volume_mounts:
          - {name: content, mount_path: /content}
    containers:
      - name: nginx
        image: docker.io/library/nginx:1.27
        ports:
          - {container_port: 80, host_port: 80}
        volume_mounts:
          - {name: content, mount_path: /usr/share/nginx/html, sub_path: site, read_only: true}
    volumes:
      - name: content
        empty_dir: {}

- name: Volumes with configuration, secrets and data that stays
  podwright.pods.pod:
    name: db
    containers:
      - name: mariadb
        image: docker.io/library/mariadb:11.4
        env:
          - name: MARIADB_ROOT_PASSWORD
            value_from:
              secret_key_ref: {name: passwords, key: root}
          - name: MARIADB_PASSWORD_FILE
            value: /run/secrets/app
          - name: MARIADB_DATABASE
            value: shop
          - name: MARIADB_USER
            value: shop
        volume_mounts:
          - {name: data, mount_path: /var/lib/mysql}
          - {name: conf, mount_path: /etc/mysql/conf.d, read_only: true}
          - {name: passwords, mount_path: /run/secrets, read_only: true}
    volumes:
      - name: data
        persistent_volume_claim: {claim_name: db-data}
      - name: conf
        config_map: {name: my-cnf}
      - name: passwords
        secret:
          secret_name: passwords
          default_mode: "0400"
          items:
            - {key: app, path: app}
    config_maps:
      - name: my-cnf
        data:
          tuning.cnf: |
            [mariadbd]
            innodb_buffer_pool_size = 256M
    secrets:
      - name: passwords
        string_data:
          app: "{{ shop_db_password }}"  # from Ansible Vault
        generate:
          root: 32  # made up on the host, and kept there

- name: Requests for placement, limits for the kernel, and a smaller host than it seems
  podwright.pods.pod:
    name: batch
    restart_policy: OnFailure
    containers:
      - name: compute
        image: registry.example.com/compute:7
        resources:
          requests: {cpu: "1.5", memory: 512Mi}
          limits: {cpu: "2", memory: 1Gi}
    allocatable:
      cpu: "3"
      memory: 6Gi

- name: A Kubernetes definition, untouched
  podwright.pods.pod:
    definition: |
      apiVersion: v1
      kind: Pod
      metadata:
        name: hello
        labels: {app: hello}
      spec:
        containers:
        - name: hello
          image: docker.io/library/httpd:2.4
          envFrom:
          - configMapRef: {name: hello}
          ports:
          - {containerPort: 80, hostPort: 8081}
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: hello}
      data: {GREETING: hello}

- name: The same from a file of the role, with a secret from Ansible Vault
  podwright.pods.pod:
    src: hello.yml
    secrets:
      - name: hello
        string_data:
          token: "{{ hello_token }}"

- name: An update that goes back to what ran before if it is not ready within two minutes
  podwright.pods.pod:
    name: web
    containers:
      - name: httpd
        image: "docker.io/library/httpd:{{ new_version }}"
        readiness_probe:
          http_get: {port: 80}
    wait_timeout: 120
    on_failure: rollback

- name: Ended, but kept
  podwright.pods.pod:
    name: web
    state: stopped

- name: Gone, with its containers; named volumes stay
  podwright.pods.pod:
    name: web
    state: absent
"""

RETURN = r"""
pod:
  description:
    - >-
      The Pod as a Kubernetes document, without its ConfigMaps and Secrets. After a run that was no check it has the
      C(status) that Kubernetes would show.
    - Empty with O(state=stopped) and O(state=absent).
  returned: success
  type: dict
  sample:
    apiVersion: v1
    kind: Pod
    metadata: {name: web}
    spec:
      containers:
        - name: httpd
          image: docker.io/library/httpd:2.4
          ports: [{containerPort: 80, hostPort: 8080}]
    status:
      phase: Running
      podIP: 10.88.0.5
      qosClass: BestEffort
      conditions:
        - {type: Ready, status: "True", lastTransitionTime: "2026-01-01T12:00:00Z"}
      containerStatuses:
        - name: httpd
          ready: true
          restartCount: 0
          state: {running: {startedAt: "2026-01-01T11:59:58Z"}}
actions:
  description:
    - What was done, in order, each with its cause. In check mode, what would be done. Empty when nothing had to be.
    - On failure, what had been done before it.
  returned: always, except for a declaration that is refused
  type: list
  elements: str
  sample:
    - "#1 pull image docker.io/library/httpd:2.4: missing"
    - "#2 create pod web: missing"
notes:
  description: What documents say and no host keeps (O(unsupported)), each with its path.
  returned: when there is any, and it did not fail
  type: list
  elements: str
  sample:
    - "definition[0].kind: the Namespace 'shop' is not kept: the objects of all stacks of a host share one namespace"
diff:
  description: The declaration before and after, and the actions. The values of secrets stand there as digests.
  returned: when something was, or in check mode would be, changed
  type: dict
  sample:
    before: ""
    after: "{...}"
    prepared: "#1 create pod web: missing"
faults:
  description: Everything that is wrong with the declaration, or that the host refuses. Nothing was changed.
  returned: on such a failure
  type: list
  elements: dict
  contains:
    path:
      description: The field, in the spelling of the declaration.
      type: str
      sample: containers[0].resources.limits.memory
    reason:
      description: What is wrong with it, and what to do.
      type: str
      sample: '"12Q" is not a quantity: unknown suffix "Q"'
warnings:
  description: What of the declaration is not kept between runs on this host, or not by this Podman.
  returned: when there are any
  type: list
  elements: str
container:
  description: The container that failed.
  returned: when a container, a probe or a hook failed
  type: str
  sample: httpd
reason:
  description: Why, in Kubernetes' word.
  returned: when a container, a probe or a hook failed
  type: str
  sample: CrashLoopBackOff
logs:
  description: The last lines of its log.
  returned: when a container, a probe or a hook failed
  type: str
"""

from ansible_collections.podwright.pods.plugins.module_utils._delivery import host_code


def main() -> None:
    agent_client, argument_specs, module = host_code.modules(
        "_agent.client", "_delivery.argument_specs", "_delivery.module"
    )
    module.run_module(
        argument_specs.POD_ARGUMENTS,
        agent_client.through("run_pod"),
        hidden_options=argument_specs.HIDDEN,
    )


if __name__ == "__main__":
    main()
