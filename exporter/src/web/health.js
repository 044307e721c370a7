// SPDX-License-Identifier: Apache-2.0
// Shows whether the values can be trusted: the source, its age, and what it missed.
import {byId, element, setPairs, setText} from './dom.js';
import * as format from './format.js';

const SOURCES = {module: 'the kernel module', procfs: '/proc'};

export const isStale = ({age_seconds: age, interval_seconds: interval}) =>
  age === null || age > Math.max(3 * interval, 5);

// The problems, worst first: [level, sentence].
export function problemsOf(status) {
  const problems = [];
  const add = (level, text) => problems.push([level, text]);
  const {problem, module} = status;
  if (status.source === null)
    add('bad', `The source cannot be read: ${problem?.message ?? 'no reason is known'}. ` +
      (status.age_seconds === null ? 'Nothing was read yet.' : 'The processes below are from the last good read.'));
  else if (problem)
    add('warn', `Read from ${SOURCES[status.source]}, because the module cannot be read: ${problem.message}`);
  else if (status.source === 'procfs')
    add('warn', 'Read from /proc by choice (--source=procfs): no stall, latency or breakdown.');
  if (status.source !== null && isStale(status))
    add('bad', `The last good read is ${format.duration(status.age_seconds)} old.`);
  if (module.probe_missed) add('warn', `The probe missed ${format.count(module.probe_missed)} calls.`);
  if (module.overflow_faults)
    add('warn', `${format.count(module.overflow_faults)} faults found no room in the module's table.`);
  const errors = ['oom', 'sigbus', 'hwpoison'].filter((kind) => module[kind]);
  if (errors.length)
    add('note', `Faults that ended in an error since load: ` +
      errors.map((kind) => `${format.count(module[kind])} ${kind}`).join(', '));
  return problems;
}

function pairsOf(status, age, isOld) {
  const {module} = status;
  const source = status.source === null ? 'none can be read'
    : SOURCES[status.source] ?? status.source;
  const pairs = [
    ['Source', source, status.source === null ? 'bad' : status.source === 'module' ? 'good' : 'warn'],
    ['Last read', age === null ? 'never' : `${format.duration(age)} ago`, isOld ? 'bad' : 'good'],
    ['Read every', format.seconds(status.interval_seconds)],
    ['A read takes', format.seconds(status.tick_seconds)],
  ];
  if (status.source !== null) pairs.push(['Live processes', format.count(status.processes)]);
  if (status.processes_omitted)
    pairs.push(['Without series of their own', format.count(status.processes_omitted)]);
  if (!('capacity' in module)) return pairs;
  return pairs.concat([
    ['Module', module.module_version],
    ['Rows', `${format.count(module.live)} live, ${format.count(module.exited)} exited ` +
      `of ${format.count(module.capacity)}`],
    ['Calls missed', format.count(module.probe_missed), module.probe_missed ? 'warn' : 'good'],
    ['Found no room', format.count(module.overflow_faults), module.overflow_faults ? 'warn' : 'good'],
    ['Drift against the kernel', format.count(module.drift)],
    ['Of no known process', format.count(status.unattributed_faults)],
  ].filter(([, text]) => text !== 'NaN'));
}

export class Health {
  // age: seconds since the last read. silentSince: since when (ms) the daemon has
  // not answered, or null. notices: [level, text].
  show(status, {age, paused, silentSince, notices}) {
    const problems = [...notices];
    if (silentSince)
      problems.unshift(['bad', `No answer since ${format.clock(silentSince / 1000)}; trying again. ` +
        'The values below are older.']);
    if (status) problems.push(...problemsOf(status));
    const bad = problems.some(([level]) => level === 'bad');
    this.badge(silentSince ? ['No answer', 'bad'] : bad ? ['Not current', 'bad']
      : paused ? ['Paused', 'wait'] : status.source === 'module' ? ['Live', 'good']
        : ['Live, from /proc', 'warn']);
    this.problems(problems);
    if (status) setPairs(byId('health'), pairsOf(status, age, silentSince || isStale(status)));
    document.body.classList.toggle('old', bad);
  }

  badge([text, level]) {
    setText(byId('state'), text);
    byId('state').dataset.level = level;
  }

  // Set only when they change, so that a screen reader does not repeat them.
  problems(problems) {
    const list = byId('problems');
    const said = JSON.stringify(problems.map(([level, text]) => [level, text.replace(/\d+/g, '')]));
    if (said === this.said && list.children.length === problems.length) {
      problems.forEach(([, text], i) => setText(list.children[i], text));
      return;
    }
    this.said = said;
    list.hidden = problems.length === 0;
    list.replaceChildren(...problems.map(([level, text]) =>
      element('li', {'data-level': level}, text)));
  }
}
