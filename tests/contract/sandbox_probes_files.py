"""Attacks on files, devices, privileges and limits."""

from __future__ import annotations

from sandbox_probes import Probe

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
    Probe("write in /home", "return write(os.path.join('/home', 'new'), 'x')"),
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
