"""A server as the page "Without containers" makes it: its blocks are run as they are written, in a folder of its own.

What is another here than there is named in `_here`: folders, ports, users, and packages that are there.
"""

import getpass
import grp
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.guide.blocks import ROOT, block_with
from tests.guide.clusters import Cluster, free_port, running
from tests.guide.visitor import Visitor

PAGE = "without-containers.md"
# Where root owns .env the site reads it through its group; whoever runs the tests as somebody else is that user.
MODE_OF_SETTINGS = 0o640 if os.getuid() == 0 else 0o600
COPIED = (
    *("alliance", "clients", "sessions_app", "templates", "locale", "static", "scripts", "deploy"),
    *("manage.py", "pyproject.toml", "Makefile", "requirements.txt"),
)


class Server:
    """One machine: the program in `at`, its database, its proxy."""

    def __init__(self, at: Path, cluster: Cluster) -> None:
        self.at, self.cluster = at, cluster
        self.port, self.tls, self.plain = free_port(), free_port(), free_port()
        self.folders = {name: at.parent / name for name in ("etc", "systemd", "tls", "nginx")}
        for folder in self.folders.values():
            folder.mkdir(parents=True)
        ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
        at.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, at / name, ignore=ignored)
            else:
                shutil.copy2(source, at / name)
        # Installed there by `make static`; here it is the environment of the tests.
        (at / ".venv").symlink_to(sys.prefix)
        (at / "var").mkdir()
        self.prepare_nginx()

    # --- As somebody types it --------------------------------------------------------------------

    def type(self, words: str, *, page: str = PAGE, **other: str) -> str:
        """Run the block of the page in which these words stand; what it printed."""
        text = block_with(page, words).text
        for there, here in other.items():
            assert there in text
            text = text.replace(there, here)
        return self.run(self.here(text))

    def here(self, text: str) -> str:
        for there, here in self._here().items():
            text = re.sub(there, here, text)
        return text

    def _here(self) -> dict[str, str]:
        user, group = getpass.getuser(), grp.getgrgid(os.getegid()).gr_name
        return {
            r"/srv/alliance": str(self.at),
            r"/etc/alliance\b": str(self.folders["etc"]),
            r"/etc/systemd/system/": f"{self.folders['systemd']}/",
            r"/etc/ssl/alliance": str(self.folders["tls"]),
            r"/etc/nginx/conf\.d": str(self.folders["nginx"]),
            r"127\.0\.0\.1:5432": f"127.0.0.1:{self.cluster.port}",
            r"127\.0\.0\.1:8000": f"127.0.0.1:{self.port}",
            r"runuser -u postgres -- ": "",
            r"chown root:alliance": f"chown {user}:{group}",
            r"chmod 0640 \.env": f"chmod {MODE_OF_SETTINGS:o} .env",
            r"--owner alliance( --group alliance)?": "",
            r"make static": "make --old-file .venv/.runs static",
            r"nginx -t": f"{nginx()} -t -c {self.folders['nginx']}/nginx.conf",
        }

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.cluster.environment,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SETTINGS_FOLDER": str(self.folders["etc"]),
            "SITE_USER": getpass.getuser(),
            "PORT": str(self.port),
            "WORKERS": "1",
        }

    def run(self, commands: str) -> str:
        done = self.tried(commands)
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def tried(self, commands: str) -> subprocess.CompletedProcess[str]:
        shell = ["bash", "-euo", "pipefail", "-c", commands]
        around = {"cwd": self.at, "env": self.environment, "text": True}
        return subprocess.run(shell, capture_output=True, check=False, **around)

    # --- What runs on it -------------------------------------------------------------------------

    def unit(self, name: str) -> tuple[list[str], dict[str, str]]:
        """The command of a unit, and the environment that systemd would give it; both as the file says."""
        text = self.here((self.folders["systemd"] / f"alliance-{name}.service").read_text("utf-8"))
        (command,) = re.findall(r"^ExecStart=(.+)$", text, re.M)
        environment = {"PORT": str(self.port), "WORKERS": "1"}
        for line in re.findall(r"^Environment=(.+)$", text, re.M):
            environment |= dict(one.split("=", 1) for one in line.split())
        for file in re.findall(r"^EnvironmentFile=-(.+)$", text, re.M):
            lines = Path(file).read_text("utf-8").splitlines() if Path(file).exists() else []
            environment |= dict(line.split("=", 1) for line in lines)
        return command.split(), environment

    @contextmanager
    def started(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        command, environment = self.unit(name)
        with (self.at.parent / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.at, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()  # not killed: its workers would outlive it
            process.wait(timeout=60)

    def is_well(self, service: str) -> bool:
        command = [sys.executable, self.at / "scripts" / "healthy.py", service]
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode == 0

    @contextmanager
    def proxy(self) -> Iterator[None]:
        settings = self.folders["nginx"] / "nginx.conf"
        process = subprocess.Popen([nginx(), "-c", settings, "-g", "daemon off;"], env=self.environment)
        try:
            wait_until(lambda: is_open(self.tls))
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)

    def prepare_nginx(self) -> None:
        """What Debian's own nginx.conf holds; in the template the ports that a test may open, and its folders."""
        folder, template = self.folders["nginx"], self.at / "deploy" / "nginx" / "alliance.conf.template"
        text = self.here(template.read_text("utf-8"))
        text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.tls} ssl;")
        template.write_text(text.replace("listen 80;", f"listen 127.0.0.1:{self.plain};"), "utf-8")
        kept = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = "".join(f"{name}_temp_path {folder}/{name};" for name in kept)
        (folder / "nginx.conf").write_text(
            f"pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
            f"http {{ {folders} access_log off; include {folder}/alliance.conf; }}\n",
            "utf-8",
        )

    def visitor(self) -> Visitor:
        return Visitor(self.tls, self.folders["tls"] / "fullchain.pem")


def nginx() -> str:
    """Debian keeps it where only root's PATH leads. Without it these tests fail: `apt-get install nginx-light`."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") or "nginx"


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], object], seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.2)


def installed(server: Server) -> None:
    """Parts 1 to 3 of the page, but for packages and systemd."""
    server.type("make static\ninstall")
    server.type("roles.sh")
    server.type("migrate_in_turn")
    server.type("cp deploy/systemd/*.service /etc/systemd/system/\n")


@contextmanager
def new_server(folder: Path) -> Iterator[Server]:
    with ExitStack() as stack:
        cluster = stack.enter_context(running())
        yield Server(folder / "alliance", cluster)
