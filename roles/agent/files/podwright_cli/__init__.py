# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`podwright`: the pods of this host, for people at a terminal; everything is asked of the agent by its socket.

| file | what is in it |
|---|---|
| ``commands`` | the program, and the commands that show what there is |
| ``acting`` | those that reach into pods, and those that change them |
| ``workload_commands`` | the same for workloads |
| ``showing`` | what the commands that show something have in common |
| ``session`` | what all commands stand on |
| ``asking`` | the agent, and its errors in words for people |
| ``declarations`` | what ``apply`` reads |
| ``view`` | what a pod comes to: STATUS, READY, ages, amounts |
| ``workloads`` | the kinds of workloads, and what their statuses come to |
| ``rows`` | what each table shows |
| ``workload_rows`` | what each table of workloads shows |
| ``description`` | a pod from top to bottom, for ``describe`` |
| ``workload_description`` | a workload from top to bottom |
| ``screen`` | tables and lines that fit the terminal |
"""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """The program; ends the process with its exit code."""
    from .commands import main as run

    sys.exit(run())
