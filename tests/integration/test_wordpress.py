# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example WordPress: installed, written, upgraded while it is read, and taken back, over HTTP by its Service."""

from __future__ import annotations

import datetime
import http.cookiejar
import json
import re
import secrets
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from client_load import load
from podman_host import PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._host.proxy import FOLDER, Proxy
from ansible_collections.podwright.pods.plugins.module_utils._host.service_addresses import FILE, ServiceAddresses
from playbooks import HERE, REPOSITORY, Playbook

PACKAGES = ["apache2", "libapache2-mod-php", "php-mysql", "wordpress", "wordpress-theme-twentytwentythree"]
TEXT = "Grüße aus dem Pod"
UPLOAD = "on a volume\n"
SECOND_RELEASE: dict[str, Any] = {"wordpress_release": "2", "wordpress_packages": [*PACKAGES, "php-curl"]}
DATABASE_IMAGE = {"name": "localhost/wordpress-mysql:{{ ansible_facts.distribution_release }}"}
BROKEN_IMAGE = {
    "name": "localhost/wordpress:broken",
    "build": {"containerfile": "FROM localhost/wordpress:1\nRUN rm /usr/share/wordpress/wp-settings.php\n"},
}

pytestmark = [pytest.mark.lamp, pytest.mark.long]


class Author:
    """Who writes the blog: a browser with its cookies. WordPress' own editor uses the same REST interface."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._password = secrets.token_urlsafe(16)
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._browser = urllib.request.build_opener(cookies)

    def open(self, path: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> str:
        request = urllib.request.Request(self._url + path, data, headers or {})
        with self._browser.open(request, timeout=30) as answer:
            return str(answer.read().decode())

    def submit(self, path: str, **fields: str) -> str:
        """Send a form; returns the page that comes of it."""
        return self.open(path, urllib.parse.urlencode(fields).encode())

    def install(self) -> None:
        assert 'name="weblog_title"' in self.open("/"), "an empty blog leads to its installation"
        page = self.submit(
            "/wp-admin/install.php?step=2",
            weblog_title="Pods",
            user_name="author",
            admin_password=self._password,
            admin_password2=self._password,
            admin_email="author@example.org",
            language="",
        )
        assert "Success!" in page

    def log_in(self) -> None:
        # The form brings a cookie that has to come back with it.
        self.open("/wp-login.php")
        page = self.submit("/wp-login.php", log="author", pwd=self._password, redirect_to="/wp-admin/", testcookie="1")
        assert "wp-admin-bar-logout" in page

    def publish(self, **fields: str) -> dict[str, Any]:
        """A new post, as WordPress tells it."""
        return self._create("posts", json.dumps(fields).encode(), {"Content-Type": "application/json"})

    def upload(self, name: str, text: str) -> dict[str, Any]:
        headers = {"Content-Type": "text/plain", "Content-Disposition": f'attachment; filename="{name}"'}
        return self._create("media", text.encode(), headers)

    def _create(self, kind: str, content: bytes, headers: dict[str, str]) -> dict[str, Any]:
        nonce = self.open("/wp-admin/admin-ajax.php?action=rest-nonce")
        answer = self.open(f"/index.php?rest_route=/wp/v2/{kind}", content, {**headers, "X-WP-Nonce": nonce})
        return dict(json.loads(answer))

    def curl_version(self) -> str:
        """What the Site Health page says of the PHP extension that only the second release has."""
        found = re.search(r"cURL version</td><td>([^<]*)", self.open("/wp-admin/site-health.php?tab=debug"))
        assert found
        return found[1]


class Blog(Playbook):
    """The stack of the playbook, with something to read; ``printed`` is all that its runs ever printed."""

    inventory = ()

    def __init__(self, host: PodmanHost, directory: Path) -> None:
        super().__init__(host, directory, HERE / "wordpress.yml")
        self.variables["wordpress_port"] = self.port
        self.variables["wordpress_templates"] = str(REPOSITORY / "playbooks/examples/wordpress")
        self.printed = ""
        self.author = Author(f"http://127.0.0.1:{self.port}")

    def run(self, *arguments: str, playbook: Path | None = None, **variables: Any) -> int:
        status = super().run("-vvv", "--diff", *arguments, playbook=playbook, **variables)
        self.printed += self.output
        return status

    def write(self) -> None:
        """Everything that is there to be lost."""
        self.author.install()
        self.author.log_in()
        self._post = self.author.publish(title="Hello", content=TEXT, status="publish")
        self._upload = self.author.upload("hello.txt", UPLOAD)
        # WordPress publishes at once what is due within a minute.
        due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=65)
        self._scheduled = self.author.publish(
            title="Later", content="By cron", status="future", date_gmt=due.strftime("%Y-%m-%dT%H:%M:%S")
        )

    def assert_intact(self) -> None:
        """Visitors read what was written, and the author is still logged in."""
        assert TEXT in self.page(f"/?p={self._post['id']}")
        assert self.page(urllib.parse.urlsplit(self._upload["source_url"]).path) == UPLOAD
        assert "wp-admin-bar-logout" in self.author.open("/wp-admin/")

    def shows_scheduled_post(self) -> bool:
        return self.get(f"/?p={self._scheduled['id']}")[0] == 200

    def web(self) -> dict[str, tuple[str, str]]:
        """Id and start of the containers of the Deployment."""
        return {name: start for name, start in self.starts().items() if name.endswith("-wordpress")}

    def images(self) -> set[str]:
        return {self.host.inspect(name)["ImageName"] for name in self.web()}

    def database(self) -> tuple[str, str]:
        return self.starts()["wordpress-mysql-0-mysql"]


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    """The first release, up and running. Tests leave it so."""
    host = PodmanHost()
    agent = AgentProcess(host)
    try:
        host.start()
        agent.start()
        stack = Blog(host, tmp_path_factory.mktemp("blog"))
        stack.play()
        stack.write()
        yield stack
    finally:
        agent.stop()
        Proxy(host.state_directory / FOLDER).end()
        ServiceAddresses(host.state_directory / FILE).settle((), None)
        host.remove()


def test_what_is_written_is_served(blog: Blog) -> None:
    blog.assert_intact()
    assert TEXT in blog.page()


def test_second_run_changes_nothing(blog: Blog) -> None:
    before = blog.web(), blog.database()
    assert blog.play()["actions"] == []
    assert blog.recap["changed"] == 0
    assert (blog.web(), blog.database()) == before


def test_an_upgrade_replaces_wordpress_alone_and_can_be_taken_back(blog: Blog) -> None:
    """While it is read without pause: no request fails, since the Service has a Pod that is ready all the while."""
    before, database = blog.web(), blog.database()
    assert blog.author.curl_version() == "Not available"
    with load("127.0.0.1", blog.port, "/wp-login.php", pause_seconds=0.2) as answers:
        blog.play(**SECOND_RELEASE)
        second = blog.web()
        assert len(second) == 2
        assert not before.items() & second.items()
        assert blog.images() == {"localhost/wordpress:2"}
        assert re.match(r"\d+\.\d+", blog.author.curl_version())
        blog.assert_intact()
        blog.play(stack_state="rolled_back")
    assert answers.failures == []
    assert answers.number > 20
    assert not second.items() & blog.web().items()
    assert blog.database() == database
    assert blog.images() == {"localhost/wordpress:1"}
    assert blog.author.curl_version() == "Not available"
    blog.assert_intact()
    assert blog.play()["actions"] == []


def test_a_release_that_does_not_become_ready_is_taken_back(blog: Blog) -> None:
    before, database = blog.web(), blog.database()
    with load("127.0.0.1", blog.port, "/wp-login.php", pause_seconds=0.2) as answers:
        images = {"web": BROKEN_IMAGE, "database": DATABASE_IMAGE}
        assert blog.run(wordpress_images=images, stack_wait_timeout=30) != 0
    assert answers.failures == []
    assert "Deployment wordpress" in blog.output
    assert re.search(r"Rolled back to revision \d+, which is ready again", blog.output)
    assert (blog.web(), blog.database()) == (before, database)
    assert blog.images() == {"localhost/wordpress:1"}
    blog.assert_intact()
    assert blog.play()["actions"] == []


def test_what_is_scheduled_comes_out(blog: Blog) -> None:
    # Once a minute, and not before it is due.
    deadline = time.monotonic() + 180
    while not blog.shows_scheduled_post():
        assert time.monotonic() < deadline
        time.sleep(1)


def test_passwords_and_keys_are_not_printed(blog: Blog) -> None:
    values = blog.host.generated("stack@wordpress")
    assert len(values) == 9
    assert "Keep the stack" in blog.printed
    assert not [value for value in values if value in blog.printed]
