// SPDX-License-Identifier: Apache-2.0
// Details of one process: why it faults, and its memory.
import {element, setPairs, setText} from './dom.js';
import * as format from './format.js';

const SHOWN = 8;  // cells of the breakdown that are listed

// `faults`: by the bound in seconds; each includes the larger ones.
const slow = (faults) => Object.entries(faults)
  .sort(([a], [b]) => a - b)
  .map(([bound, n]) => `${format.count(n)} over ${format.seconds(bound)}`).join(', ');

function pairsOf(item, hasModule) {
  const unknown = 'only the module measures this';
  const pairs = [
    ['PID', String(item.pid)],
    ['Started', format.moment(item.start_time_seconds)],
    ['Faults', `${format.rate(item.faults_rate)}, ${format.count(item.faults)} in all`],
    ['Major faults', `${format.rate(item.major_rate)}, ${format.count(item.major)} in all`],
    ['Stall', hasModule
      ? `${format.stall(item.stall_rate)}, ${format.seconds(item.stall_seconds)} in all` : unknown],
    ['Slow faults', hasModule ? slow(item.slow_faults) : unknown],
    ['RSS', format.bytes(item.rss_bytes)],
    ['of it anon, file, shmem', hasModule
      ? [item.rss.anon, item.rss.file, item.rss.shmem].map(format.bytes).join(', ') : unknown],
    ['Swap', hasModule ? format.bytes(item.swap_bytes) : unknown],
    ['VMA', format.bytes(item.vma_bytes)],
  ];
  if (item.hugetlb_bytes)
    pairs.push(['Huge pages (hugetlb), in no RSS', format.bytes(item.hugetlb_bytes)]);
  for (const [key, title] of [['unit', 'Unit'], ['namespace', 'Namespace'], ['pod', 'Pod'],
    ['pod_uid', 'Pod UID'], ['container', 'Container'], ['container_id', 'Container ID'],
    ['path', 'Control group']])
    if (item.cgroup?.[key]) pairs.push([title, format.name(item.cgroup[key])]);
  return pairs;
}

export class Details {
  constructor() {
    this.pairs = element('dl', {class: 'pairs'});
    this.title = element('h3');
    this.list = element('ul', {class: 'breakdown'});
    this.node = element('div', {class: 'details'},
      element('div', {}, this.title, this.list), this.pairs);
  }

  show(item, hasModule) {
    setPairs(this.pairs, pairsOf(item, hasModule));
    const cells = [...item.breakdown].sort((a, b) => b.faults - a.faults);
    setText(this.title, cells.length ? 'Why it faulted'
      : 'Why it faulted: only the module measures this, for a process that has faulted');
    this.list.replaceChildren(...cells.slice(0, SHOWN).map((cell) => {
      const bar = element('span', {class: 'bar', 'data-severity': cell.severity});
      bar.style.width = `${100 * cell.faults / cells[0].faults}%`;
      return element('li', {},
        element('span', {}, `${cell.severity} ${cell.access} ${cell.kind}`),
        element('span', {class: 'track', 'aria-hidden': 'true'}, bar),
        element('span', {class: 'number'},
          `${format.count(cell.faults)} (${format.percent(cell.faults, item.faults)})`));
    }));
  }
}
