"""Attacks on a sandbox, as a table: a name and a function that returns what it gained, if anything.

Each body becomes ``def attack():`` in a Python process inside the sandbox. Raising OSError, or
returning nothing, means refused. ``FACT`` holds what the host offers to be stolen or broken.
"""

from __future__ import annotations

from dataclasses import dataclass

PRELUDE = """
import ctypes, errno, json, mmap, os, resource, signal, socket, struct, subprocess, sys, time
FACT = json.loads(os.environ["FACT"])
CANARY = FACT["yranac"][::-1]
LIBRARY = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    number = name if isinstance(name, int) else FACT["numbers"][name]
    LIBRARY.syscall.restype = ctypes.c_long
    values = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    result = LIBRARY.syscall(ctypes.c_long(number), *values)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return f"{name} gave {result}"

def read(path):
    with open(path, "rb") as file:
        return file.read(200)

def write(path, text):
    with open(path, "ab", buffering=0) as file:
        return file.write(text.encode())

def tried(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, timeout=5)
    return done.stdout if done.returncode == 0 else None

def in_child(action):
    child = os.fork()
    if child == 0:
        try:
            action()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0 and "went on"
"""

POSTLUDE = """
try:
    gained = attack()
except (OSError, ValueError, subprocess.SubprocessError) as refusal:
    print("REFUSED", refusal)
else:
    print("ALLOWED" if gained else "REFUSED", gained)
"""


@dataclass(frozen=True)
class Probe:
    """One attack.

    Attributes:
        name: What it tries.
        body: Lines of a function.
        only: The kind of sandbox that claims it, if not both.
        control: Whether it is harmless, and so shown to succeed without a sandbox.
    """

    name: str
    body: str
    only: str | None = None
    control: bool = False

    @property
    def script(self) -> str:
        lines = "\n".join(f"    {line}" for line in self.body.strip().splitlines())
        return f"{PRELUDE}\ndef attack():\n{lines}\n{POSTLUDE}"


FILES = (
    Probe("read /etc/shadow", "return read('/etc/shadow')"),
    Probe("read a host file", "return read(FACT['secret'])", control=True),
    Probe(
        "list the home",
        """
on_the_way = tuple(FACT['places'])
return [name for name in os.listdir(FACT['home'])
        if not any(place.startswith(f"{FACT['home']}/{name}") for place in on_the_way)]""",
    ),
    Probe("list the store", "return os.listdir(FACT['store']) is not None", control=True),
    Probe(
        "read through a symlink",
        """
os.symlink(FACT['secret'], 'link')
return read('link')""",
        control=True,
    ),
    Probe(
        "write through a symlink",
        """
os.symlink(FACT['victim'], 'link')
return write('link', 'overwritten')""",
        control=True,
    ),
    Probe(
        "read through parent folders",
        """
return read('../' * 30 + FACT['secret'].lstrip('/'))""",
        control=True,
    ),
    Probe(
        "read through /proc/self/root",
        "return read('/proc/self/root' + FACT['secret'])",
        control=True,
    ),
    Probe("read through /proc/1/root", "return read('/proc/1/root' + FACT['secret'])"),
    Probe(
        "read through /proc/self/cwd",
        """
os.chdir('/')
return read('/proc/self/cwd' + FACT['secret'])""",
        control=True,
    ),
    Probe(
        "enter a host folder",
        """
os.chdir(FACT['folder'])
return read('secret')""",
        control=True,
    ),
    Probe("create a host file", "return write(FACT['folder'] + '/new', 'x')", control=True),
    Probe(
        "hardlink a host file",
        """
os.link(FACT['secret'], 'link')
return read('link')""",
    ),
    Probe(
        "hardlink a file of a place",
        """
os.link(FACT['place'] + '/tool.txt', 'link')
return write('link', 'x')""",
    ),
    Probe("write in a place", "return write(FACT['place'] + '/tool.txt', 'x')", control=True),
    Probe("create in a place", "return write(FACT['place'] + '/new.txt', 'x')", control=True),
    Probe("remove from a place", "os.remove(FACT['place'] + '/tool.txt'); return 'removed'"),
    Probe(
        "rename in a place",
        """
os.rename(FACT['place'] + '/tool.txt', FACT['place'] + '/other.txt')
return 'renamed'""",
    ),
    Probe("truncate in a place", "os.truncate(FACT['place'] + '/tool.txt', 0); return 'emptied'"),
    Probe(
        "truncate while reading",
        """
os.open(FACT['place'] + '/tool.txt', os.O_RDONLY | os.O_TRUNC)
return not read(FACT['place'] + '/tool.txt') and 'emptied'""",
    ),
    Probe(
        "change a mode in a place",
        """
os.chmod(FACT['place'] + '/tool.txt', 0o777)
return 'changed'""",
    ),
    Probe(
        "change a date in a place",
        """
os.utime(FACT['place'] + '/tool.txt', (0, 0))
return 'changed'""",
    ),
    Probe(
        "set an attribute in a place",
        """
os.setxattr(FACT['place'] + '/tool.txt', 'user.x', b'x')
return 'set'""",
    ),
    Probe(
        "move a symlink over a place",
        """
os.symlink('/', 'elsewhere')
os.rename('elsewhere', FACT['place'])
return 'moved'""",
    ),
    Probe("write below /usr", "return write('/usr/new', 'x')"),
    Probe(
        "write in the Python library",
        """
return write(os.__file__, '#')""",
    ),
    Probe("write below /etc", "return write('/etc/new', 'x')"),
    Probe("write in /", "return write('/new', 'x')"),
    Probe("write in /home", "return write('/home/new', 'x')"),
    Probe(
        "write in its own home",
        """
return write(os.environ['HOME'] + '/new', 'x')""",
    ),
    Probe("write in /dev", "return write('/dev/new', 'x')"),
    Probe("write in /var/tmp", "return write('/var/tmp/metier-probe', 'x')"),
    Probe("execute a host program", "return tried(FACT['script'])", control=True),
    Probe(
        "open by a handle",
        """
handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128))
mounted = ctypes.c_int()
return call('name_to_handle_at', -100, b'/usr', handle, ctypes.byref(mounted), 0)""",
    ),
    Probe("watch the file system", "return call('fanotify_init', 0, 0)"),
)

SYSTEM = (
    Probe(
        "environment of this test",
        """
return CANARY in ''.join(os.environ.values()) and 'leaked'""",
    ),
    Probe(
        "environment in /proc/1",
        """
return CANARY.encode() in open('/proc/1/environ', 'rb').read() and 'leaked'""",
    ),
    Probe(
        "environment of the parent",
        """
data = open(f'/proc/{os.getppid()}/environ', 'rb').read()
return CANARY.encode() in data and 'leaked'""",
    ),
    Probe(
        "environment of this test's process",
        """
return CANARY.encode() in open(f"/proc/{FACT['bystander']}/environ", 'rb').read()""",
        control=True,
    ),
    Probe(
        "descriptors",
        """
found = []
for number in range(3, 1024):
    try:
        os.fstat(number)
        found.append(number)
    except OSError:
        pass
return found""",
    ),
    Probe("sysrq", "os.open('/proc/sysrq-trigger', os.O_WRONLY); return 'opened'"),
    Probe(
        "core pattern",
        """
os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)
return 'opened'""",
    ),
    Probe("user namespaces by /proc", "return write('/proc/self/uid_map', '0 0 1')"),
    Probe(
        "immunity from the memory killer",
        """
return write('/proc/self/oom_score_adj', '-1000')""",
    ),
    Probe(
        "/sys",
        """
os.open('/sys/kernel/mm/transparent_hugepage/enabled', os.O_WRONLY)
return 'opened'""",
    ),
    Probe("control groups", "return os.mkdir('/sys/fs/cgroup/probe') or 'made'"),
    Probe(
        "device nodes",
        """
for name in ('mem', 'kmem', 'port', 'kmsg', 'sda', 'vda', 'nvme0n1', 'loop-control', 'fuse', 'kvm'):
    try:
        return os.open(f'/dev/{name}', os.O_RDONLY) and name
    except OSError:
        continue""",
    ),
    Probe("make a device", "os.mknod('disk', 0o60600, os.makedev(254, 0)); return 'made'"),
    Probe("make a character device", "os.mknod('m', 0o20600, os.makedev(1, 1)); return 'made'"),
    Probe("become root", "os.setuid(0); return os.getuid() == 0 and 'root'"),
    Probe(
        "regain privileges by a program",
        """
status = LIBRARY.prctl(39, 0, 0, 0, 0)
return status != 1 and 'no_new_privs is not set'""",
        control=True,
    ),
    Probe("su", "return tried('su', '-c', 'id')"),
    Probe(
        "nested bubblewrap",
        """
return tried('bwrap', '--ro-bind', '/', '/', '--unshare-user', '--', 'true') is not None""",
    ),
    Probe(
        "unshare, the program",
        """
return tried('unshare', '--user', '--map-root-user', 'true') is not None""",
    ),
    Probe(
        "terminal injection",
        """
import fcntl
for number in (0, 1, 2):
    try:
        fcntl.ioctl(number, 0x5412, b'x')
        return number
    except OSError as failure:
        if failure.errno != errno.EPERM:
            return f'not refused by the filter: {failure}'""",
    ),
    Probe("controlling terminal", "return os.open('/dev/tty', os.O_RDWR) and 'opened'"),
    Probe(
        "raise a limit",
        """
soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
resource.setrlimit(resource.RLIMIT_NPROC, (hard + 1, hard + 1))
return 'raised'""",
    ),
    Probe(
        "raise the limit of files' size",
        """
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
return 'raised'""",
    ),
    Probe(
        "limits of another process",
        """
values = struct.pack('QQ', 10, 10)
return call('prlimit64', os.getppid(), 7, values, None)""",
    ),
    Probe(
        "real time",
        """
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
return 'real time'""",
    ),
    Probe("priority", "return os.nice(-5) < 0 and 'higher'"),
    Probe("change the clock", "time.clock_settime(time.CLOCK_REALTIME, time.time()); return 'set'"),
    Probe("change the host name", "return call('sethostname', b'x', 1)"),
    Probe("kernel log", "return call('syslog', 3, ctypes.create_string_buffer(100), 100)"),
)

NETWORK = (
    Probe(
        "TCP to the host's loopback",
        """
return socket.create_connection(('127.0.0.1', FACT['tcp']), 2) and 'connected'""",
        control=True,
    ),
    Probe(
        "TCP by IPv6",
        """
return socket.create_connection(('::1', FACT['tcp']), 2) and 'connected'""",
    ),
    Probe(
        "TCP to the world",
        """
return socket.create_connection(('192.0.2.1', 80), 2) and 'connected'""",
    ),
    Probe(
        "UDP to the host's loopback",
        """
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'stolen', ('127.0.0.1', FACT['udp']))
return None  # whether it arrived is seen outside""",
    ),
    Probe("names", "return socket.gethostbyname('example.org')"),
    Probe(
        "unix socket",
        """
link = socket.socket(socket.AF_UNIX)
link.connect(FACT['unix'])
return 'connected'""",
        control=True,
    ),
    Probe(
        "abstract socket",
        """
link = socket.socket(socket.AF_UNIX)
link.connect(chr(0) + FACT['abstract'])
return 'connected'""",
        control=True,
    ),
    Probe(
        "datagram pair to a path",
        """
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.sendto(b'stolen', FACT['datagram'])
return 'sent'""",
        control=True,
    ),
    Probe(
        "datagram pair to an abstract name",
        """
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.sendmsg([b'stolen'], [], 0, chr(0) + FACT['abstract'] + '-datagram')
return 'sent'""",
        control=True,
    ),
    Probe("netlink", "return socket.socket(16, socket.SOCK_RAW, 0) and 'opened'", control=True),
    Probe("packets", "return socket.socket(17, socket.SOCK_RAW, 0) and 'opened'"),
    Probe("raw IP", "return socket.socket(socket.AF_INET, socket.SOCK_RAW, 1) and 'opened'"),
    Probe("vsock", "return socket.socket(40, socket.SOCK_STREAM, 0) and 'opened'"),
    Probe("crypto sockets", "return socket.socket(38, socket.SOCK_SEQPACKET, 0) and 'opened'"),
    Probe(
        "listen for the host",
        """
server = socket.create_server(('0.0.0.0', 0))
return 'listening'""",
        only="landlock",
        control=True,
    ),
)

PROCESSES = (
    Probe("signal a process outside", "os.kill(FACT['bystander'], signal.SIGTERM); return 'sent'"),
    Probe(
        "signal a thread outside",
        """
return call('tgkill', FACT['bystander'], FACT['bystander'], 15)""",
    ),
    Probe(
        "signal by a queue",
        """
return call('rt_sigqueueinfo', FACT['bystander'], 15, bytes(128))""",
    ),
    Probe(
        "signal by a handle",
        """
handle = os.pidfd_open(FACT['bystander'])
signal.pidfd_send_signal(handle, 15)
return 'sent'""",
    ),
    Probe("signal a group outside", "os.killpg(FACT['bystander'], 15); return 'sent'"),
    Probe("signal everybody", "os.kill(-1, signal.SIGURG)  # who gets it is seen outside"),
    Probe(
        "kill the parent",
        """
parent = os.getppid()
os.kill(parent, signal.SIGKILL)
time.sleep(0.2)
return os.getppid() != parent and 'killed'""",
    ),
    Probe(
        "slow somebody down",
        """
os.setpriority(os.PRIO_PROCESS, FACT['bystander'], 19)
return 'slowed'""",
    ),
    Probe("pin somebody down", "os.sched_setaffinity(FACT['bystander'], {0}); return 'pinned'"),
    Probe(
        "limit somebody",
        """
values = struct.pack('QQ', 10, 10)
return call('prlimit64', FACT['bystander'], 7, values, None)""",
    ),
    Probe("trace somebody", "return call('ptrace', 16, FACT['bystander'], 0, 0)"),
    Probe("trace the parent", "return call('ptrace', 16, os.getppid(), 0, 0)"),
    Probe("be traced", "return in_child(lambda: call('ptrace', 0, 0, 0, 0))"),
    Probe(
        "read another's memory",
        """
place = ctypes.create_string_buffer(8)
part = struct.pack('QQ', ctypes.addressof(place), 8)
return call('process_vm_readv', os.getppid(), part, 1, part, 1, 0)""",
    ),
    Probe(
        "write another's memory",
        """
place = ctypes.create_string_buffer(8)
part = struct.pack('QQ', ctypes.addressof(place), 8)
return call('process_vm_writev', os.getpid(), part, 1, part, 1, 0)""",
    ),
    Probe(
        "/proc memory of the parent",
        """
return os.open(f'/proc/{os.getppid()}/mem', os.O_RDWR) and 'opened'""",
    ),
    Probe(
        "steal a descriptor",
        """
handle = os.pidfd_open(os.getpid())
return call('pidfd_getfd', handle, 0, 0)""",
    ),
    Probe("compare processes", "return call('kcmp', os.getpid(), os.getppid(), 0, 0, 0)"),
    Probe(
        "shared memory of the host",
        """
return call('shmget', 0x4d455449, 4096, 0o1600)""",
        only="landlock",
    ),
    Probe(
        "leave the session",
        """
def leave():
    os.setsid()
return in_child(leave)""",
        only="landlock",
        control=True,
    ),
    Probe(
        "outlive the supervisor",
        """
return not LIBRARY.prctl(1, 0, 0, 0, 0) and 'cleared'""",
        only="landlock",
        control=True,
    ),
)

KERNEL = (
    Probe("keyring", "return call('keyctl', 0, -3, 1)", control=True),
    Probe("add a key", "return call('add_key', b'user', b'probe', b'x', 1, -3)"),
    Probe("request a key", "return call('request_key', b'user', b'probe', None, -3)"),
    Probe("io_uring", "return call('io_uring_setup', 4, bytes(120))", control=True),
    Probe("io_uring by a number", "return call('io_uring_enter', 0, 0, 0, 0, None, 0)"),
    Probe("BPF", "return call('bpf', 0, struct.pack('IIII', 2, 4, 4, 1) + bytes(112), 128)"),
    Probe("page faults", "return call('userfaultfd', 1)", control=True),
    Probe("performance counters", """
return call('perf_event_open', struct.pack('IIQ', 1, 112, 0) + bytes(96), 0, -1, -1, 0)"""),
    Probe("mount", "return call('mount', b'none', b'/work', b'tmpfs', 0, None)"),
    Probe("bind mount", "return call('mount', b'/usr', b'.', None, 4096, None)"),
    Probe("remount writable", "return call('mount', None, b'/usr', None, 32 | 4096, None)"),
    Probe("unmount", "return call('umount2', b'/proc', 2)"),
    Probe("open a tree", "return call('open_tree', -100, b'/usr', 1)"),
    Probe("open a file system", "return call('fsopen', b'tmpfs', 0)"),
    Probe("move a mount", "return call('move_mount', -100, b'/usr', -100, b'/work', 0)"),
    Probe("change a mount", "return call('mount_setattr', -100, b'/usr', 0, bytes(32), 32)"),
    Probe("change the root", "os.chroot('.'); return 'changed'"),
    Probe("swap the root", "return call('pivot_root', b'.', b'.')"),
    Probe("new user namespace", "return in_child(lambda: call('unshare', 0x10000000))",
          control=True),
    Probe("new network namespace", "return in_child(lambda: call('unshare', 0x40000000))"),
    Probe("new mounts", "return in_child(lambda: call('unshare', 0x00020000))"),
    Probe("enter a namespace", """
try:
    handle = os.open('/proc/self/ns/user', os.O_RDONLY)
except OSError:
    handle = os.open('/usr', os.O_RDONLY)
return call('setns', handle, 0)"""),
    Probe("clone into a user namespace", """
return call('clone', 0x10000000 | 17, 0, 0, 0, 0)"""),
    Probe("clone into a time namespace", "return call('clone', 0x80 | 17, 0, 0, 0, 0)"),
    Probe("clone3 into a user namespace", """
values = struct.pack('8Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0)
return call('clone3', values, 64)"""),
    Probe("clone3 at all", """
try:
    call('clone3', bytes(64), 0)
except OSError as failure:
    return failure.errno != errno.ENOSYS and 'the C library would not fall back'""", control=True),
    Probe("address randomisation", "return call('personality', 0x0040000)", control=True),
    Probe("segments", "return call('modify_ldt', 0, ctypes.create_string_buffer(64), 64)"),
    Probe("ports", "return call('iopl', 3)"),
    Probe("memory map", "return not LIBRARY.prctl(35, 1, 0, 0, 0) and 'changed'"),
    Probe("load a module", "return call('init_module', b'', 0, b'')"),
    Probe("load a kernel", "return call('kexec_load', 0, 0, None, 0)"),
    Probe("accounting", "return call('acct', b'account')"),
    Probe("swap", "return call('swapon', b'/work/swap', 0)"),
    Probe("quota", "return call('quotactl', 0x80000100, None, 0, None)"),
    Probe("anonymous files beyond the limit", "return call('memfd_create', b'x', 0)",
          control=True),
    Probe("secret memory", "return call('memfd_secret', 0)"),
    Probe("NUMA placement", "return call('set_mempolicy', 0, None, 0)", control=True),
    Probe("x32 calls", "return in_child(lambda: LIBRARY.syscall(0x40000000 | 39))",
          control=True),
    Probe("32-bit calls", """
if FACT['machine'] != 'x86_64':
    return None
def go():
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')  # getpid by int 0x80
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
return in_child(go)"""),
)  # fmt: skip

PROBES = FILES + SYSTEM + NETWORK + PROCESSES + KERNEL
