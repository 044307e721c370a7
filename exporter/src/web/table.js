// SPDX-License-Identifier: Apache-2.0
// The table of processes or of sums over them. Rows are reused from tick to tick, so that
// focus, selection and opened details are kept.
import {columnsOf} from './columns.js';
import {Details} from './details.js';
import {byId, element, setText} from './dom.js';
import * as format from './format.js';
import {Sparkline} from './sparkline.js';
import {nameOf, shownOf, views} from './views.js';

const keyOf = (view, item) =>
  ('pid' in item ? `${item.pid} ${item.start_time_seconds}` : nameOf(view, item));

class Row {
  constructor(view, item, onSums) {
    this.view = view;
    this.item = item;
    this.name = element('bdi');
    this.button = element('button', {type: 'button', class: 'name'}, this.name);
    this.pid = element('span', {class: 'quiet pid'});
    this.cells = columnsOf(view).map((column) => Row.cell(column, this));
    this.node = element('tr', {}, ...this.cells.map(({node}) => node));
    if (views[view].sums) {
      this.button.addEventListener('click', () => onSums(view, this.item));
    } else {
      this.button.setAttribute('aria-expanded', 'false');
      this.button.addEventListener('click', () => this.toggle());
    }
  }

  static cell(column, row) {
    if (column.name)
      return {column, node: element('th', {scope: 'row', class: 'comm'}, row.button, row.pid)};
    const text = element('span', {class: 'number'});
    const spark = column.spark && new Sparkline();
    const node = element('td', {class: column.spark ? 'with-spark' : 'alone',
      'data-column': column.sort}, ...(spark ? [spark.node] : []), text);
    return {column, node, text, spark};
  }

  toggle() {
    this.open = !this.open;
    this.button.setAttribute('aria-expanded', String(this.open));
    if (!this.open) return this.more.remove();
    this.details = new Details();
    this.more = element('tr', {class: 'more'},
      element('td', {colspan: String(this.cells.length)}, this.details.node));
    this.details.show(this.item, this.hasModule);
    this.node.after(this.more);
  }

  show(item, history, hasModule, narrow) {
    this.item = item;
    this.hasModule = hasModule;
    const [name, shown] = [nameOf(this.view, item), shownOf(this.view, item)].map(format.name);
    setText(this.name, shown);
    if (shown !== name) this.button.title = name;
    setText(this.pid, 'pid' in item ? ` ${item.pid}` : ` × ${item.processes}`);
    for (const {column, node, text, spark} of this.cells) {
      node.classList.toggle('narrow', column.sort === narrow);
      if (column.name) continue;
      const known = hasModule || !column.module;
      setText(text, known ? column.text(item) : '–');
      text.classList.toggle('none', /^(0\D*|–)$/.test(text.textContent));
      spark?.show(known ? history?.[column.spark] : []);
    }
    if (this.open) this.details.show(item, hasModule);
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

  show({view, sort, order}, items, historyOf, hasModule) {
    if (view !== this.view) this.header(view);
    // A narrow screen shows one number: the one that the table is sorted by.
    const narrow = columnsOf(view).find((column) => column.sort === sort)?.text && sort !== 'pid'
      ? sort : 'faults_rate';
    this.showOrder(sort, order, narrow);
    const rows = new Map();
    for (const item of items) {
      const key = keyOf(view, item);
      const row = this.rows.get(key) ?? new Row(view, item, this.onSums);
      row.show(item, historyOf(item), hasModule, narrow);
      rows.set(key, row);
    }
    this.rows = rows;
    this.place([...rows.values()].flatMap((row) => row.nodes()));
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
