"""What the drills share: PostgreSQL as a user that it accepts, servers on fixed ports, simulated phones."""
import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECRET = "drill-secret-0123456789abcdef0123456789"
POSTGRES = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))


def as_postgres(*command):
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return list(command)
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


def own(path):
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(path, user.pw_uid, user.pw_gid)


_given = set()


def free_port():
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise SystemExit(f"not within {seconds} s: {what}")


def status(url):
    """The status of a response; 0 without one."""
    try:
        with urllib.request.urlopen(url, timeout=3) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def processor_seconds(process):
    """CPU of a process so far."""
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def build():
    """Builds the programs, unless LUX_PROGRAMS names their folder; that folder."""
    if "LUX_PROGRAMS" in os.environ:
        return os.environ["LUX_PROGRAMS"]
    configuration = os.environ.get("LUX_CONFIGURATION", "release")
    for product in ("lux-server", "lux-simulate"):
        subprocess.run(["swift", "build", "-c", configuration, "--product", product], cwd=ROOT, check=True,
                       stdout=subprocess.DEVNULL)
    shown = subprocess.run(["swift", "build", "-c", configuration, "--show-bin-path"], cwd=ROOT, check=True,
                           capture_output=True, text=True)
    return shown.stdout.strip()


class Drill:
    """A temporary folder and the processes of one run, all ended with it."""

    def __init__(self, programs=True):
        self.folder = tempfile.mkdtemp(prefix="lux-drill-")
        os.chmod(self.folder, 0o755)
        self.processes = []
        self.programs = build() if programs else None
        with open(f"{self.folder}/secret", "w") as file:
            file.write(SECRET)

    def start(self, name, command, environment=None):
        log = open(f"{self.folder}/{name}.log", "ab")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                   env={**os.environ, **(environment or {})}, start_new_session=True)
        self.processes.append(process)
        return process

    def log(self, name, lines=20):
        with open(f"{self.folder}/{name}.log", errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def make_folder(self, name):
        path = f"{self.folder}/{name}"
        os.mkdir(path)
        os.chmod(path, 0o755)
        own(path)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                    process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 10
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            # Each has a session of its own, and with it what it started.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        if os.environ.get("LUX_DRILL_KEEP"):
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def simulate(self, servers, database, *options):
        """Starts the simulated phones."""
        command = [f"{self.programs}/lux-simulate", "evening", "--database", database, "--secret-file",
                   f"{self.folder}/secret", *[word for server in servers for word in ("--server", server)], *options]
        return self.start("simulation", command)


def start_database(drill, *options):
    """A private PostgreSQL; its address. Its process is the drill's last."""
    port = free_port()
    data = drill.make_folder(f"postgres-{port}")
    subprocess.run(as_postgres(f"{POSTGRES}/initdb", "-D", f"{data}/data", "-U", "postgres", "-A", "trust", "--encoding=UTF8",
                               "--locale=C"), check=True, stdout=subprocess.DEVNULL, cwd="/")
    drill.start("postgres", as_postgres(f"{POSTGRES}/postgres", "-D", f"{data}/data", "-p", str(port), "-k", data, "-c",
                                        "listen_addresses=127.0.0.1", *options))
    ready = [f"{POSTGRES}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    wait_until(lambda: subprocess.run(ready).returncode == 0, 30, "PostgreSQL")
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def start_pooler(drill, address):
    """PgBouncer in transaction mode in front of a database of `start_database`; the address for servers."""
    port = free_port()
    program = os.environ.get("LUX_PGBOUNCER", "/usr/sbin/pgbouncer")
    shown = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split("\n")[0]
    print(f"behind {shown} in transaction mode", flush=True)
    version = tuple(int(part) for part in shown.split()[1].split(".")[:2])
    folder = drill.make_folder(f"pooler-{port}")
    database = address.rsplit(":", 1)[1].split("/")[0]
    with open(f"{folder}/pgbouncer.ini", "w") as file:
        file.write(f"""[databases]
* = host=127.0.0.1 port={database} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
{"max_prepared_statements = 200" if version >= (1, 21) else ""}
""")
    process = drill.start("pooler", as_postgres(program, f"{folder}/pgbouncer.ini"))
    pooled = address.replace(f":{database}/", f":{port}/")
    wait_until(lambda: subprocess.run([f"{POSTGRES}/psql", "-qAtX", pooled, "-c", "select"], capture_output=True).returncode == 0, 20,
               f"PgBouncer\n{drill.log('pooler')}")
    return pooled, process


class Server:
    """One lux-server on a port that it keeps over restarts."""

    def __init__(self, drill, name, database, environment=None):
        self.drill, self.name, self.port = drill, name, free_port()
        self.environment = {
            "DATABASE_URL": database, "LUX_JWT_SECRET": SECRET, "LUX_HOST": "127.0.0.1", "LUX_PORT": str(self.port),
            "LUX_LOG_LEVEL": "warning", "LUX_MIGRATIONS": f"{ROOT}/Migrations", **(environment or {})}
        self.start()

    def start(self):
        self.process = self.drill.start(self.name, [f"{self.drill.programs}/lux-server", "serve"], self.environment)
        wait_until(self.is_ready, 60, f"{self.name} ready\n{self.drill.log(self.name)}")

    def is_ready(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.name} ended with {self.process.returncode}\n{self.drill.log(self.name)}")
        return status(f"http://127.0.0.1:{self.port}/readyz") == 200

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(30) != 0:
            raise SystemExit(f"{self.name} ended with {self.process.returncode}\n{self.drill.log(self.name)}")


class Link:
    """A TCP connection between two nodes that can be cut: no bytes pass and nothing is closed until it is mended."""

    def __init__(self, target):
        self.target, self.is_cut = target, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self.is_cut = True

    def mend(self):
        """Earlier connections are gone, as after a long interruption."""
        self.is_cut = False
        for pair in self.pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self.pairs = []

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        while self.is_cut:
            time.sleep(0.05)
        try:
            server = socket.create_connection(("127.0.0.1", self.target), timeout=3)
            server.settimeout(None)
        except OSError:
            client.close()
            return
        self.pairs.append((client, server))
        for one, other in ((client, server), (server, client)):
            threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                while self.is_cut:
                    time.sleep(0.05)
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
