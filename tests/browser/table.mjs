// SPDX-License-Identifier: Apache-2.0
// Generates a table as the module publishes it (kernel/include/page_faults.h),
// with values that change. The daemon reads it in place of a module.
import {mkdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

// Names that a person may give to a process to reach the reader's browser.
export const HOSTILE = [
  '<img src=x onerror=hacked=1>', '<script>hacked=1</script>', '"><b id=hacked>',
  "' onclick='hacked=1", '{{state}}', 'javascript:hacked=1', '<svg onload=hacked=1>',
  '\u202edrawkcab', 'new\nline', '&lt;b&gt;', '\u{1f4a9} ünïcode',
];

const PEACEFUL = ['postgres', 'nginx', 'java', 'build-farm', 'log-grep', 'sorter', 'leaky-cache',
  'systemd', 'sshd', 'cc1plus', 'python3', 'containerd'];

// The pod that fixtures/log names.
export const POD = '/kubepods.slice/kubepods-burstable.slice/' +
  'kubepods-burstable-pod2f1c7a60_5b0e_4d0b_9a3e_0c5d9f6c1b11.slice/cri-containerd-' +
  '9b1dc4b3a7e94f5d8c6b2a1f0e3d4c5b6a7988776655443322110ffeeddccbba.scope';
export const HOSTILE_CGROUP = '<img src=x onerror=hacked=1>';
const CGROUPS = [POD, '/system.slice/ssh.service', `/${HOSTILE_CGROUP}`];

// Makes a hierarchy, in which the inode number of a directory is the id of its group.
// Returns the ids; the last one is of a group that is gone.
function makeCgroups(directory) {
  mkdirSync(directory, {recursive: true});
  writeFileSync(join(directory, 'cgroup.controllers'), '');
  const ids = CGROUPS.map((path) => {
    mkdirSync(directory + path, {recursive: true});
    return statSync(directory + path).ino;
  });
  return [...ids, 4711];
}

// [comm, faults a tick, major, stall ns, rss in kB]
const processes = [
  ...PEACEFUL.flatMap((comm, i) => Array.from({length: 1 + i % 4}, (_, k) =>
    [comm, 40 * (PEACEFUL.length - i) + 3 * k, i === 4 ? 9 : 0, 4e4 * (i + 1) * (1 + k), 5e3 * (1 + (i * 7) % 11) + k])),
  ...HOSTILE.map((comm, i) => [comm, 5 + i, 0, 1e4, 2000 + i]),
].map(([comm, faults, major, stall, rss], i) =>
  ({pid: 100 + 7 * i, comm, pace: {faults, major, stall}, rss, faults: 0, major: 0, stall: 0}));

const escaped = (comm) => Array.from(Buffer.from(comm), (byte) =>
  (byte === 0x5c ? '\\\\' : byte === 0x0a ? '\\n' : byte < 0x20 || byte > 0x7e
    ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte))).join('');

const COLUMNS = 'pid start_ns state vma_kb rss_kb rss_anon_kb rss_file_kb rss_shmem_kb swap_kb ' +
  'faults minor major read write exec user kernel remote anon file shmem hugetlb retried sigbus ' +
  'sigsegv oom hwpoison stall_ns slow_1ms slow_10ms slow_100ms slow_1s cgroup breakdown comm';

function row(p, cgroup) {
  const minor = p.faults - p.major;
  const values = {pid: p.pid, start_ns: 1e9 + p.pid, state: 'live', vma_kb: 4 * p.rss, rss_kb: p.rss,
    rss_anon_kb: p.rss - 500, rss_file_kb: 500, swap_kb: 12, faults: p.faults, minor, major: p.major,
    read: p.major, write: minor, user: p.faults, anon: minor, file: p.major, stall_ns: p.stall,
    slow_1ms: p.major, cgroup,
    breakdown: [minor && `mwa=${minor}`, p.major && `Mrf=${p.major}`].filter(Boolean).join(',') || '-',
    comm: escaped(p.comm)};
  return COLUMNS.split(' ').map((column) => values[column] ?? 0).join('\t');
}

const sum = (key) => processes.reduce((all, p) => all + p[key], 0);
const total = () => ({faults: sum('faults'), minor: sum('faults') - sum('major'), major: sum('major'), stall_ns: sum('stall'),
  slow_1ms: sum('major'), slow_10ms: 0});

// The file stats of the fixture, with the sums of this table.
function stats(fixture) {
  const own = {...total(), live: processes.length, exited: 0, kernel_pgfault: sum('faults')};
  return fixture.replace(/^(\w+) .*$/gm, (line, key) => (key in own ? `${key} ${own[key]}` : line));
}

function latency() {
  const {minor, major, stall_ns: all} = total();
  const shares = (middle) => Array.from({length: 29}, (_, i) => i > middle + 8 ? 1 : 1 / (1 + Math.exp((middle - i) * 1.3)));
  const [m, M] = [shares(6), shares(15)];
  const rows = m.map((share, i) => `${2 ** (8 + i)}\t${Math.floor(minor * share)}\t${Math.floor(major * M[i])}`);
  rows.push(`inf\t${minor}\t${major}`, `sum\t${all}\t0`, `count\t${minor}\t${major}`);
  return `# page_faults 1\nle_ns\tminor\tmajor\n${rows.join('\n')}\n# end rows=${rows.length}\n`;
}

export class Table {
  // `cgroups`: where the hierarchy of control groups is made.
  constructor(directory, cgroups, fixtures) {
    this.directory = join(directory, 'page_faults');
    this.cgroups = makeCgroups(cgroups);
    this.fixture = readFileSync(join(fixtures, 'page_faults/stats'), 'utf8');
    this.turn = 0;
    mkdirSync(this.directory, {recursive: true});
    this.tick();
    this.timer = setInterval(() => this.tick(), 250);
  }

  tick() {
    const wave = 1 + Math.sin(this.turn++ / 6) / 2;
    processes.forEach((p, i) => {
      p.faults += Math.round(p.pace.faults * wave * (1 + (this.turn * (i + 3)) % 5 / 5)) + p.pace.major;
      p.major += p.pace.major;
      p.stall += Math.round(p.pace.stall * wave);
    });
    this.write('processes',
      `# page_faults 1\n${COLUMNS.replaceAll(' ', '\t')}\n` +
      `${processes.map((p, i) => row(p, this.cgroups[i % this.cgroups.length])).join('\n')}\n` +
      `# end rows=${processes.length}\n`);
    this.write('stats', stats(this.fixture));
    this.write('latency', latency());
  }

  write(name, text) {
    const path = join(this.directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  // As if the module were unloaded, and loaded again.
  hide() {
    clearInterval(this.timer);
    renameSync(this.directory, `${this.directory}.gone`);
  }

  reveal() {
    renameSync(`${this.directory}.gone`, this.directory);
    this.timer = setInterval(() => this.tick(), 250);
  }

  end() {
    clearInterval(this.timer);
  }
}
