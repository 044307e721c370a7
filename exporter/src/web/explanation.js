// SPDX-License-Identifier: Apache-2.0
// Shows where the faults of some processes come from: the sums, the files and memory, and
// the calls.
import {element} from './dom.js';
import {FlameGraph} from './flamegraph.js';
import * as format from './format.js';
import {treeOf} from './frames.js';

const SHOWN = 10;  // mappings that are listed
const faults = (value) => format.count(Math.round(value));

let shown = 0;  // the groups of radio buttons have names of their own

// Sentences, the most important first.
function sentencesOf(answer) {
  const stall = 'stall_seconds' in answer ? `, ${format.seconds(answer.stall_seconds)} stalled` : '';
  const by = answer.source === 'module' ? "the module's trace event"
    : "the kernel's own events, which know neither kind nor stall";
  const sums = answer.exact ? "the sums are those of the module's counters" : 'the sums are estimates';
  const sentences = [
    `${answer.exact ? '' : 'About '}${faults(answer.faults)} faults, ${faults(answer.major)} of them ` +
      `major, in ${format.seconds(answer.seconds)}${stall}.`,
    `${format.count(answer.samples)} samples by ${by}; ${sums}.`];
  if ('share_error' in answer)
    sentences.push(`A share of 50 % is certain to ${format.percent(answer.share_error, 1)}.`);
  return sentences.concat(answer.notes.map(format.sentence));
}

// The mappings with the most, then what the others have together.
function rowsOf({mappings, not_sampled: unsampled}, measure) {
  const sorted = [...mappings].sort((a, b) => b[measure] - a[measure]);
  const rows = sorted.slice(0, SHOWN);
  const others = sorted.slice(SHOWN);
  const sum = (key) => others.reduce((all, mapping) => all + mapping[key], 0);
  if (others.length)
    rows.push({name: `[${others.length} more]`, faults: sum('faults'), major: sum('major'),
      stall_seconds: sum('stall_seconds')});
  if (unsampled.faults) rows.push({...unsampled, name: '[not sampled]'});
  return rows;
}

function bar(part, whole) {
  const made = element('span', {class: 'bar'});
  made.style.width = whole ? `${100 * part / whole}%` : '0';
  return element('span', {class: 'track', 'aria-hidden': 'true'}, made);
}

export class Explanation {
  constructor(answer) {
    this.answer = answer;
    this.hasStall = 'stall_seconds' in answer;
    this.root = treeOf(answer);
    this.mappings = element('tbody');
    this.graph = new FlameGraph();
    this.node = element('div', {class: 'explanation'},
      ...sentencesOf(answer).map((sentence) => element('p', {}, sentence)));
    if (answer.samples) this.node.append(...this.choice(), this.table(), this.graph.node);
    this.show('faults');
  }

  choice() {
    if (!this.hasStall) return [];
    const name = `measure-${++shown}`;
    const option = (measure, title) => {
      const input = element('input', {type: 'radio', name, value: measure});
      input.checked = measure === 'faults';
      input.addEventListener('change', () => this.show(measure));
      return element('label', {}, input, ` ${title}`);
    };
    return [element('fieldset', {class: 'choice'},
      element('legend', {class: 'unseen'}, 'What shares and widths are of'),
      option('faults', 'By faults'), option('stall_seconds', 'By stall'))];
  }

  table() {
    const titles = ['File or memory', 'Share', 'Faults', 'Major', ...(this.hasStall ? ['Stall'] : [])];
    return element('table', {class: 'mappings'},
      element('thead', {}, element('tr', {},
        ...titles.map((title) => element('th', {scope: 'col', class: title === 'Major' ? 'wide' : ''},
          title)))),
      this.mappings);
  }

  show(measure) {
    const all = this.answer[measure];
    this.mappings.replaceChildren(...rowsOf(this.answer, measure).map((row) => element('tr', {},
      element('th', {scope: 'row', class: 'long'}, format.name(row.name)),
      element('td', {class: 'share'}, bar(row[measure], all),
        element('span', {class: 'number'}, format.percent(row[measure], all))),
      element('td', {}, faults(row.faults)), element('td', {class: 'wide'}, faults(row.major)),
      ...(this.hasStall ? [element('td', {}, format.seconds(row.stall_seconds))] : []))));
    this.graph.show(this.root, measure);
  }
}
