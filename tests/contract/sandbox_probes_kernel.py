"""Attacks on the network, on other processes and on the kernel."""

from __future__ import annotations

from sandbox_probes import Probe

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
    Probe("mount", "return call('mount', b'none', b'/job', b'tmpfs', 0, None)"),
    Probe("bind mount", "return call('mount', b'/usr', b'.', None, 4096, None)"),
    Probe("remount writable", "return call('mount', None, b'/usr', None, 32 | 4096, None)"),
    Probe("unmount", "return call('umount2', b'/proc', 2)"),
    Probe("open a tree", "return call('open_tree', -100, b'/usr', 1)"),
    Probe("open a file system", "return call('fsopen', b'tmpfs', 0)"),
    Probe("move a mount", "return call('move_mount', -100, b'/usr', -100, b'/job', 0)"),
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
    Probe("swap", "return call('swapon', b'swap', 0)"),
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
