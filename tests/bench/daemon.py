# SPDX-License-Identifier: Apache-2.0
"""Scrapes exporters over N sleeping processes; see tests/bench/daemon.

usage: daemon.py EXPORTER N
Prints a tab-separated table: what, scrape ms, CPU ms of a scrape (for ours: of
a tick with gzip and one scrape), resident MB, and ratios to process-exporter.
"""
import http.client
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

EXPORTER, N = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def sleepers(n):
    """Forks n processes that sleep until this one ends."""
    read, write = os.pipe()
    parent = os.fork()
    if parent == 0:
        os.setsid()
        os.close(write)
        for _ in range(n - 1):
            if os.fork() == 0:
                os.read(read, 1)  # until the pipe closes
                os._exit(0)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    time.sleep(3 + n / 2000)
    return write


def cpu_ms(pid):
    """CPU of all threads in ms, from schedstat (ns)."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e6


def resident_mb(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def scrape(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    start = time.perf_counter()
    connection.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
    body = connection.getresponse().read()
    took = (time.perf_counter() - start) * 1000
    connection.close()
    return took, len(body)


def start(command, port):
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)
    for _ in range(600):
        try:
            scrape(port)
            return process
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{command[0]} does not answer")


def measure_scraped(command, port, rounds):
    """An exporter that works while it is scraped."""
    process = start(command, port)
    times, costs = [], []
    for _ in range(rounds):
        before = cpu_ms(process.pid)
        times.append(scrape(port)[0])
        time.sleep(0.3)
        costs.append(cpu_ms(process.pid) - before)
    memory = resident_mb(process.pid)
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    return statistics.median(times), statistics.median(costs), memory


def measure_ours(flags, rounds):
    """Our daemon: a tick every second, and a scrape between two ticks."""
    port = free_port()
    process = start([EXPORTER, f"--web.listen-address=127.0.0.1:{port}",
                     "--interval=1s", "--processes.max=1000000", *flags], port)
    time.sleep(3)
    times, costs = [], []
    for _ in range(rounds):
        before, begin = cpu_ms(process.pid), time.perf_counter()
        times.append(scrape(port)[0])
        time.sleep(max(0, 1 - (time.perf_counter() - begin)))
        costs.append(cpu_ms(process.pid) - before)
    memory = resident_mb(process.pid)
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    return statistics.median(times), statistics.median(costs), memory


def measure_crowded(flags, rounds):
    """Our daemon: a scrape just after 500 connections were opened that never
    finish their request."""
    port = free_port()
    process = start([EXPORTER, f"--web.listen-address=127.0.0.1:{port}",
                     "--interval=1s", *flags], port)
    time.sleep(3)
    times, costs = [], []
    for _ in range(rounds):
        before = cpu_ms(process.pid)
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(500)]
        for connection in held:
            connection.sendall(b"GET /metrics HT")
        times.append(scrape(port)[0])
        costs.append(cpu_ms(process.pid) - before)
        for connection in held:
            connection.close()
    memory = resident_mb(process.pid)
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    return statistics.median(times), statistics.median(costs), memory


def table_of_proc(directory):
    """Writes a table of the present processes, as the module does. Returns a
    function that makes its text with every value changed by a number."""
    os.makedirs(directory)
    columns = ("pid start_ns state vma_kb rss_kb rss_anon_kb rss_file_kb "
               "rss_shmem_kb swap_kb faults minor major read write exec user "
               "kernel remote anon file shmem hugetlb retried sigbus sigsegv oom "
               "hwpoison stall_ns slow_1ms slow_10ms slow_100ms slow_1s "
               "breakdown comm").split()
    rows = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                comm, rest = f.read().split("(", 1)[1].rsplit(")", 1)
        except FileNotFoundError:
            continue
        fields = rest.split()
        if int(fields[6]) & 0x200000:
            continue
        faults = int(fields[7]) + int(fields[9])
        rows.append((int(pid), int(fields[19]) * 10**7, int(fields[20]) // 1024,
                     int(fields[21]) * 4, faults, comm.replace("\\", "\\\\")))
    rows.sort()

    def text(move):
        out = ["# page_faults 1", "\t".join(columns)]
        for pid, start, vma, rss, faults, comm in rows:
            n = faults + move
            third = n // 3
            vma, rss = vma + move * 4, rss + move * 4
            out.append("\t".join(map(str, (
                pid, start, "live", vma, rss, rss // 2, rss - rss // 2, 0, 0, n,
                n, 0, third, n - third, 0, n, 0, 0, n - third, third, 0, 0, 0, 0,
                0, 0, 0, n * 900, 0, 0, 0, 0, f"mrf={third},mwa={n - third}", comm))))
        return "\n".join(out) + f"\n# end rows={len(rows)}\n"

    with open(f"{directory}/stats", "w") as f:
        f.write("version 1\nmodule_version 0\nend 2\n")
    with open(f"{directory}/processes", "w") as f:
        f.write(text(0))
    return text


def keep_moving(directory, text):
    """Forks a process that changes every value each second; returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    move = 0
    while True:
        move += 7
        with open(f"{directory}/new", "w") as f:
            f.write(text(move))
        os.rename(f"{directory}/new", f"{directory}/processes")
        time.sleep(1)


pipe = sleepers(N)
rows = {}
port = free_port()
with tempfile.TemporaryDirectory() as work:
    config = os.path.join(work, "process-exporter.yml")
    with open(config, "w") as f:
        f.write("process_names:\n- name: '{{.Comm}}:{{.PID}}'\n  cmdline:\n"
                "  - '.+'\n- name: '{{.Comm}}:{{.PID}}'\n  comm: []\n")
    rows["process-exporter by pid"] = measure_scraped(
        ["prometheus-process-exporter", f"--web.listen-address=127.0.0.1:{port}",
         "-config.path", config], port, 3)
    rows["node_exporter processes, vmstat"] = measure_scraped(
        ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}",
         "--collector.disable-defaults", "--collector.processes",
         "--collector.vmstat"], port, 5)
    directory = os.path.join(work, "page_faults")
    text = table_of_proc(directory)
    source = ["--source=module", f"--path.debugfs={work}"]
    for name, flags in (("idle", 0), ("moving", 1)):
        mover = keep_moving(directory, text) if flags else 0
        rows[f"table, three families, {name}"] = measure_ours(
            source + ["--basic-families-only"], 9)
        rows[f"table, all families, {name}"] = measure_ours(source, 9)
        if mover:
            os.kill(mover, signal.SIGKILL)
            os.waitpid(mover, 0)
    rows["table, all families, 500 half-open connections"] = measure_crowded(
        source, 3)
    rows["procfs, all families"] = measure_ours(["--source=procfs"], 9)
os.close(pipe)
print("processes\twhat\tscrape ms\tCPU ms\tresident MB\tscrape ratio\tCPU ratio"
      "\tresident ratio")
base = rows["process-exporter by pid"]
for name, row in rows.items():
    print(N, name, *("%.2f" % value for value in row),
          *("%.0f" % (b / v) if v else "-" for b, v in zip(base, row)), sep="\t")
