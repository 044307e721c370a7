// SPDX-License-Identifier: Apache-2.0
// Charts of the host's last ticks. Each quantity has its own chart, because they
// share no scale.
import {byId, element, setText} from './dom.js';
import * as format from './format.js';
import {TICKS} from './sparkline.js';

const quantities = [
  {key: 'faults_rate', title: 'Page faults', text: format.rate, about: 'minor and major'},
  {key: 'major_rate', title: 'Major faults', text: format.rate,
    about: 'read from disk or swap, or retried'},
  {key: 'stall_rate', title: 'Stall', text: format.stall, module: true,
    about: 'time all threads spent in faults'},
];

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// The library's legend sets styles in its markup, which the page's policy forbids.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

class Chart {
  constructor(quantity, onPoint) {
    this.quantity = quantity;
    this.value = element('strong');
    this.note = element('span', {class: 'quiet'}, quantity.about);
    this.canvas = element('div', {class: 'chart', role: 'img'});
    this.node = element('figure', {},
      element('figcaption', {}, element('span', {class: 'title'}, quantity.title), this.value, this.note),
      this.canvas);
    this.onPoint = onPoint;
    this.rows = [];
  }

  draw() {
    const {text} = this.quantity;
    this.graph = new Dygraph(this.canvas, [[new Date(), 0]], {
      labels: ['time', this.quantity.title],
      xAxisHeight: 22, fillGraph: true, strokeWidth: 1.5, interactionModel: {},
      axes: {
        x: {axisLabelFormatter: (date) => format.clock(date / 1000).slice(0, 8), pixelsPerLabel: 80,
          axisLabelWidth: 64, drawGrid: false},
        y: {axisLabelFormatter: (value) => text(value), axisLabelWidth: 62, pixelsPerLabel: 28},
      },
      highlightCallback: (event, x, points, row) => this.onPoint(row),
      unhighlightCallback: () => this.onPoint(null),
    });
    this.paint();
  }

  paint() {
    this.graph.updateOptions({colors: [color(`--${this.quantity.key}`)],
      gridLineColor: color('--line'), axisLineColor: color('--line')});
  }

  // rows: [Date, number], or null if they are unknown. age of the newest row and
  // interval are in seconds. If the newest row is old, the chart ends with a gap.
  show(rows, age, interval) {
    this.rows = rows ?? [];
    this.canvas.hidden = !rows;
    if (!rows) {
      setText(this.value, '–');
      setText(this.note, 'only the module measures this');
      return;
    }
    setText(this.note, this.quantity.about);
    if (!this.graph) this.draw();
    const top = Math.max(...rows.map(([, value]) => value), 0);
    const newest = rows.length ? Number(rows.at(-1)[0]) : Date.now();
    const now = newest + (age > interval ? age * 1000 : 0);
    this.graph.updateOptions({file: rows.length ? rows : [[new Date(), null]],
      valueRange: [0, top ? top * 1.1 : 1],
      dateWindow: [now - TICKS * interval * 1000, now]});
    this.point(null);
    const {title, text} = this.quantity;
    this.canvas.setAttribute('aria-label', rows.length
      ? `${title} of the last ${format.duration((newest - rows[0][0]) / 1000)}: ` +
        `now ${text(rows.at(-1)[1])}, at most ${text(top)}` : `${title}: nothing yet`);
  }

  // Shows the value of one row, or of the newest.
  point(row) {
    if (!this.graph) return;
    const shown = this.rows[row ?? this.rows.length - 1];
    if (row === null) this.graph.clearSelection();
    else this.graph.setSelection(row);
    setText(this.value, shown ? this.quantity.text(shown[1]) : '–');
    if (row !== null && shown) setText(this.note, `at ${format.clock(shown[0] / 1000)}`);
    else setText(this.note, this.quantity.about);
  }
}

export class Charts {
  constructor() {
    const point = (row) => {
      if (this.pointing) return;  // setSelection() calls back
      this.pointing = true;
      for (const chart of this.charts) chart.point(row);
      this.pointing = false;
    };
    this.charts = quantities.map((quantity) => new Chart(quantity, point));
    byId('charts').append(...this.charts.map(({node}) => node));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const chart of this.charts) if (chart.graph) chart.paint();
    });
  }

  show(status, hasModule) {
    const {time} = status.history;
    for (const chart of this.charts) {
      const {key, module} = chart.quantity;
      chart.show(hasModule || !module
        ? time.map((at, i) => [new Date(at * 1000), status.history[key][i]]) : null,
      status.age_seconds, status.interval_seconds);
    }
  }
}
