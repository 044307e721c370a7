// SPDX-License-Identifier: Apache-2.0
// Draws a tree of calls: the root on top, below each function those that it called, as wide
// as what they have.
import {element, setText} from './dom.js';
import * as format from './format.js';
import {boxesOf, matchesOf, neighbourOf} from './frames.js';

const ROW_REM = 1.5;
const SHADES = 4;

// One function has one shade everywhere, so that it is found again.
function shadeOf(name) {
  let sum = 0;
  for (const c of name) sum = (31 * sum + c.codePointAt(0)) % 9973;
  return sum % SHADES;
}

export class FlameGraph {
  constructor() {
    this.search = element('input', {type: 'search', autocomplete: 'off',
      autocapitalize: 'none', spellcheck: 'false'});
    this.found = element('span', {class: 'quiet', role: 'status'});
    this.graph = element('div', {class: 'flame', role: 'tree'});
    this.about = element('p', {class: 'about quiet'});
    this.body = element('tbody');
    this.head = element('tr');
    this.table = element('details', {}, element('summary', {}, 'The graph as a table'),
      element('table', {class: 'small'}, element('thead', {}, this.head), this.body));
    this.node = element('figure', {},
      element('figcaption', {}, element('span', {class: 'title'}, 'Who called whom'),
        element('span', {class: 'quiet'}, 'Enter or a click widens a function, Escape shows all ' +
          'again, arrow keys go on to others.')),
      element('div', {class: 'tools'},
        element('label', {class: 'filter'}, 'Find functions ', this.search), this.found),
      this.graph, this.about, this.table);
    this.listen();
  }

  listen() {
    this.search.addEventListener('input', () => this.mark());
    this.table.addEventListener('toggle', () => this.fillTable());
    this.graph.addEventListener('click', ({target}) => this.zoom(this.boxAt(target)?.frame));
    this.graph.addEventListener('keydown', (event) => this.press(event));
    // Not mouseover, which also comes when the graph moves below the mouse.
    for (const type of ['focusin', 'mousemove'])
      this.graph.addEventListener(type, ({target}) => this.tell(this.boxAt(target)));
    this.graph.addEventListener('focusin', ({target}) => this.rove(this.boxAt(target)));
  }

  // `measure`: by what a frame is as wide as it is; faults or stall_seconds.
  show(root, measure) {
    const isSame = root === this.root && this.zoomed[measure] > 0;
    this.zoomed = isSame ? this.zoomed : root;
    this.root = root;
    this.measure = measure;
    this.graph.setAttribute('aria-label',
      `Flame graph by ${measure === 'faults' ? 'faults' : 'stall'}: who called whom`);
    this.draw();
  }

  draw() {
    this.boxes = boxesOf(this.zoomed, this.measure);
    const depth = Math.max(...this.boxes.map(({frame}) => frame.depth)) + 1;
    this.nodes = this.boxes.map((box) => this.nodeOf(box));
    this.graph.replaceChildren(element('div', {class: 'rows', role: 'none'}, ...this.nodes));
    this.graph.firstChild.style.height = `${depth * ROW_REM}rem`;
    this.rove(this.boxOf(this.zoomed));
    this.tell(this.boxOf(this.zoomed));
    this.mark();
    this.fillTable();
  }

  nodeOf({frame, left, width}) {
    const text = this.textOf(frame);
    const node = element('div', {role: 'treeitem', class: 'frame', tabindex: '-1',
      'aria-level': String(frame.depth + 1), 'aria-label': text, title: text,
      'data-shade': String(shadeOf(frame.name))}, format.name(frame.name));
    Object.assign(node.style, {left: `${100 * left}%`, width: `${100 * width}%`,
      top: `${frame.depth * ROW_REM}rem`});
    if (frame === this.zoomed) node.setAttribute('aria-current', 'true');
    node.classList.toggle('caller', frame.depth < this.zoomed.depth);
    return node;
  }

  textOf(frame) {
    const {root, measure} = this;
    const stall = root.stall_seconds ? `, ${format.seconds(frame.stall_seconds)} stalled` : '';
    return `${format.name(frame.name)}: ${format.count(Math.round(frame.faults))} faults${stall}, ` +
      `${format.percent(frame[measure], root[measure])} of the ` +
      (measure === 'faults' ? 'faults' : 'stall');
  }

  boxOf(frame) {
    return this.boxes.find((box) => box.frame === frame);
  }

  boxAt(node) {
    return this.boxes[this.nodes.indexOf(node)];
  }

  // The graph is one stop of the Tab key: at this box.
  rove(box) {
    if (!box) return;
    this.current?.setAttribute('tabindex', '-1');
    this.current = this.nodes[this.boxes.indexOf(box)];
    this.current.setAttribute('tabindex', '0');
  }

  tell(box) {
    if (box) setText(this.about, this.textOf(box.frame));
  }

  zoom(frame) {
    if (!frame) return;
    this.zoomed = frame;
    this.draw();
    this.current.focus({preventScroll: true});
  }

  press(event) {
    const at = this.nodes.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = neighbourOf(this.boxes, at, event.key);
    if (['Enter', ' '].includes(event.key)) this.zoom(this.boxes[at].frame);
    else if (event.key === 'Escape') this.zoom(this.root);
    else if (next >= 0) this.nodes[next].focus();
    else if (!event.key.startsWith('Arrow')) return;
    event.preventDefault();
  }

  mark() {
    const {frames, sum} = matchesOf(this.root, this.search.value, this.measure);
    this.boxes.forEach(({frame}, i) => this.nodes[i].classList.toggle('found', frames.has(frame)));
    const what = this.measure === 'faults' ? 'faults' : 'stall';
    setText(this.found, !this.search.value ? '' : !frames.size ? 'No function has this in its name'
      : `${format.percent(sum, this.root[this.measure])} of the ${what}`);
  }

  // The table has the frames of the graph. While it is closed it is empty, because it can be
  // long.
  fillTable() {
    const {open} = this.table;
    const hasStall = this.root.stall_seconds > 0;
    const titles = ['Depth', 'Function', 'Share', 'Faults', ...(hasStall ? ['Stall'] : [])];
    this.head.replaceChildren(...titles.map((title, i) =>
      element('th', {scope: 'col', class: i > 2 ? 'wide' : ''}, title)));
    this.body.replaceChildren(...(open ? this.boxes : []).map(({frame}) => element('tr', {},
      element('td', {}, String(frame.depth)),
      element('th', {scope: 'row', class: 'long'}, format.name(frame.name)),
      element('td', {}, format.percent(frame[this.measure], this.root[this.measure])),
      element('td', {class: 'wide'}, format.count(Math.round(frame.faults))),
      ...(hasStall ? [element('td', {class: 'wide'}, format.seconds(frame.stall_seconds))] : []))));
  }
}
