// SPDX-License-Identifier: Apache-2.0
// The table of processes or of sums over them. Rows are reused from tick to tick, so that
// focus, selection and opened details are kept.
import {columnsOf} from './columns.js';
import {Details} from './details.js';
import {byId, element, setText} from './dom.js';
import {Explain} from './explain.js';
import * as format from './format.js';
import {Sparkline} from './sparkline.js';
import {nameOf, selectorOf, shownOf, views} from './views.js';

const keyOf = (view, item) =>
  ('pid' in item ? `${item.pid} ${item.start_time_seconds}` : nameOf(view, item));

class Row {
  constructor(view, item, onSums) {
    this.view = view;
    this.item = item;
    this.name = element('bdi');
    this.button = element('button', {type: 'button', class: 'name'}, this.name);
    this.opener = this.button;
    this.pid = element('span', {class: 'quiet pid'});
    this.left = element('span', {class: 'left quiet', hidden: ''}, ' not in the list now');
    this.cells = columnsOf(view).map((column) => Row.cell(column, this));
    this.node = element('tr', {}, ...this.cells.map(({node}) => node));
    if (views[view].sums) {
      this.button.addEventListener('click', () => onSums(view, this.item));
      this.opener = element('button', {type: 'button', class: 'opener'});
      if (view !== 'groups') this.button.before(this.opener);
    }
    this.opener.setAttribute('aria-expanded', 'false');
    this.opener.addEventListener('click', () => this.toggle());
  }

  static cell(column, row) {
    if (column.name)
      return {column, node: element('th', {scope: 'row', class: 'comm'},
        row.button, row.pid, row.left)};
    const text = element('span', {class: 'number'});
    const spark = column.spark && new Sparkline();
    const node = element('td', {class: column.spark ? 'with-spark' : 'alone',
      'data-column': column.sort}, ...(spark ? [spark.node] : []), text);
    return {column, node, text, spark};
  }

  toggle() {
    this.open = !this.open;
    this.opener.setAttribute('aria-expanded', String(this.open));
    if (!this.open) return this.close();
    this.details = views[this.view].sums ? null : new Details();
    this.explain = new Explain(selectorOf(this.view, this.item));
    this.more = element('tr', {class: 'more'},
      element('td', {colspan: String(this.cells.length)},
        ...(this.details ? [this.details.node] : []), this.explain.node));
    this.showDetails();
    this.node.after(this.more);
  }

  close() {
    this.explain?.end();
    this.more?.remove();
  }

  showDetails() {
    this.details?.show(this.item, this.known.hasModule);
    this.explain.show(this.known.hasExplain);
  }

  // Whether it shows, or waits for, where the faults come from.
  get isHeld() {
    return Boolean(this.open && this.explain.isUsed);
  }

  // `isListed`: whether the last answer has the item.
  note(isListed) {
    this.left.hidden = isListed;
  }

  show(item, history, known, narrow) {
    const {hasModule, hasExplain} = known;
    this.item = item;
    this.known = known;
    const [name, shown] = [nameOf(this.view, item), shownOf(this.view, item)].map(format.name);
    setText(this.name, shown);
    if (shown !== name) this.button.title = name;
    if (this.opener !== this.button) {
      this.opener.setAttribute('aria-label', `Details of ${shown}`);
      this.opener.hidden = !hasExplain && !this.open;
      this.opener.classList.toggle('absent', !selectorOf(this.view, item));
    }
    setText(this.pid, 'pid' in item ? ` ${item.pid}` : ` × ${item.processes}`);
    for (const {column, node, text, spark} of this.cells) {
      node.classList.toggle('narrow', column.sort === narrow);
      if (column.name) continue;
      const isKnown = hasModule || !column.module;
      setText(text, isKnown ? column.text(item) : '–');
      text.classList.toggle('none', /^(0\D*|–)$/.test(text.textContent));
      spark?.show(isKnown ? history?.[column.spark] : []);
    }
    if (this.open) this.showDetails();
  }

  nodes() {
    return this.open ? [this.node, this.more] : [this.node];
  }
}

export class Table {
  // onSort(key), onSums(view, item): called when the user asks for an order, or for the
  // processes of an item.
  constructor(onSort, onSums) {
    this.head = byId('table').tHead;
    this.body = byId('table').tBodies[0];
    this.onSort = onSort;
    this.onSums = onSums;
    this.rows = new Map();
  }

  header(view) {
    const row = element('tr');
    for (const column of columnsOf(view)) {
      const button = element('button', {type: 'button'}, column.title);
      if (column.about) button.title = column.about;
      button.addEventListener('click', () => this.onSort(column.sort));
      row.append(element('th', {scope: 'col', 'data-column': column.sort,
        class: column.name ? 'comm' : ''}, button));
    }
    this.head.replaceChildren(row);
    for (const old of this.rows.values()) old.close();
    this.rows.clear();
    this.view = view;
  }

  showOrder(sort, order, narrow) {
    for (const cell of this.head.rows[0].cells) {
      const sorted = cell.dataset.column === sort;
      cell.classList.toggle('narrow', cell.dataset.column === narrow);
      if (sorted) cell.setAttribute('aria-sort', order === 'asc' ? 'ascending' : 'descending');
      else cell.removeAttribute('aria-sort');
    }
  }

  // `known`: hasModule and hasExplain, what the daemon has.
  show({view, sort, order, ...choice}, items, historyOf, known) {
    if (view !== this.view) this.header(view);
    // A narrow screen shows one number: the one that the table is sorted by.
    const narrow = columnsOf(view).find((column) => column.sort === sort)?.text && sort !== 'pid'
      ? sort : 'faults_rate';
    this.showOrder(sort, order, narrow);
    const rows = new Map();
    for (const item of items) {
      const key = keyOf(view, item);
      const row = this.rows.get(key) ?? new Row(view, item, this.onSums);
      row.show(item, historyOf(item), known, narrow);
      rows.set(key, row);
    }
    this.rows = this.withHeld(rows, [view, choice.filter, choice.cgroup, choice.group].join('\n'));
    this.place([...this.rows.values()].flatMap((row) => row.nodes()));
  }

  // A row that shows where faults come from stays where it is, although others overtake it,
  // until the user asks for other rows: nobody can read what jumps.
  withHeld(listed, question) {
    const isSame = question === this.question;
    this.question = question;
    const sorted = [...listed].filter(([, row]) => !isSame || !row.isHeld);
    [...this.rows].forEach(([key, row], at) => {
      row.note(listed.has(key));
      if (isSame && row.isHeld) sorted.splice(at, 0, [key, row]);
      else if (!listed.has(key)) row.close();
    });
    return new Map(sorted);
  }

  // Puts the rows in order and moves as few as possible. The focus is restored.
  place(nodes) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const wanted = new Set(nodes);
    for (const node of [...this.body.children]) if (!wanted.has(node)) node.remove();
    nodes.forEach((node, i) => {
      if (this.body.children[i] !== node) this.body.insertBefore(node, this.body.children[i] ?? null);
    });
    if (focused?.isConnected && focused !== document.activeElement)
      focused.focus({preventScroll: true});
  }
}
