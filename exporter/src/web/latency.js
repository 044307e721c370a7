// SPDX-License-Identifier: Apache-2.0
// Shows histograms of the times of minor and major faults, either since the module
// was loaded or of the last ticks.
import {byId, element, setText} from './dom.js';
import * as format from './format.js';
import {TICKS} from './sparkline.js';

// Converts cumulative counts to faults by bucket. The last bucket is above all
// bounds.
function buckets(now, before) {
  const sums = [...now.counts, now.count];
  const old = before ? [...before.counts, before.count] : sums.map(() => 0);
  const grown = sums.map((sum, i) => sum - old[i]);
  return grown.map((sum, i) => Math.max(0, sum - (i ? grown[i - 1] : 0)));
}

// The bound below which this share of the faults lies.
function quantile(counts, bounds, share) {
  const all = counts.reduce((a, b) => a + b, 0);
  let sum = 0;
  for (let i = 0; i < bounds.length; ++i) {
    sum += counts[i];
    if (sum >= all * share) return `≤ ${format.seconds(bounds[i])}`;
  }
  return `> ${format.seconds(bounds.at(-1))}`;
}

class Histogram {
  constructor(severity, title) {
    this.severity = severity;
    this.summary = element('span', {class: 'quiet'});
    this.bars = element('div', {class: 'bars', role: 'img'});
    this.body = element('tbody');
    this.table = element('details', {},
      element('summary', {}, `${title} as a table`),
      element('table', {class: 'small'}, element('thead', {},
        element('tr', {}, element('th', {scope: 'col'}, 'At most'),
          element('th', {scope: 'col'}, 'Faults'))), this.body));
    this.title = title;
    this.node = element('figure', {}, element('figcaption', {},
      element('span', {class: 'title'}, title), this.summary), this.bars, this.table);
  }

  show(counts, bounds, [first, last]) {
    const all = counts.reduce((a, b) => a + b, 0);
    setText(this.summary, all
      ? `${format.count(all)}; half ${quantile(counts, bounds, 0.5)}, ` +
        `99 % ${quantile(counts, bounds, 0.99)}` : 'none');
    this.bars.setAttribute('aria-label', `${this.title}: ${this.summary.textContent}`);
    this.bars.hidden = this.table.hidden = !all;
    const shown = counts.map((faults, i) =>
      [i < bounds.length ? format.seconds(bounds[i]) : 'more', faults]).slice(first, last + 1);
    this.draw(shown);
    this.body.replaceChildren(...shown.map(([bound, faults]) => element('tr', {},
      element('th', {scope: 'row'}, bound), element('td', {}, format.count(faults)))));
  }

  draw(shown) {
    const top = Math.max(...shown.map(([, faults]) => faults), 1);
    this.bars.replaceChildren(...shown.map(([bound, faults], i) => {
      const bar = element('span', {class: 'bar', 'data-severity': this.severity});
      // A bar has a least height, so that a few faults among many are visible.
      bar.style.height = faults ? `max(2px, ${100 * faults / top}%)` : '0';
      return element('div', {class: 'bucket', title: `≤ ${bound}: ${format.count(faults)}`},
        element('div', {class: 'column'}, bar),
        element('span', {class: 'tick'}, i % 3 || i > shown.length - 3 ? '' : bound));
    }));
  }
}

export class LatencyView {
  constructor() {
    this.histograms = [new Histogram('minor', 'Minor faults'), new Histogram('major', 'Major faults')];
    this.recent = element('input', {type: 'radio', name: 'window'});
    const all = element('input', {type: 'radio', name: 'window', checked: ''});
    this.span = element('span');
    byId('latency').append(
      element('fieldset', {class: 'choice'}, element('legend', {class: 'unseen'}, 'Of which time'),
        element('label', {}, all, ' Since the module was loaded'),
        element('label', {}, this.recent, ' ', this.span)),
      element('div', {class: 'histograms'}, ...this.histograms.map(({node}) => node)),
      element('p', {class: 'quiet'}, 'Each bar: faults that took at most the time below it, ' +
        'and more than the one before. Minor and major have scales of their own.'));
    for (const input of [all, this.recent]) input.addEventListener('change', () => this.draw());
    this.forget();
  }

  // After a restart or a reload of the module the counts start from 0, so they have no
  // difference to earlier counts.
  forget() {
    this.kept = [];
  }

  // Without the module the daemon keeps the last histogram, which is out of date.
  show({latency, ticks, interval_seconds: interval}, hasModule) {
    const offered = hasModule && latency.bounds_seconds.length > 0;
    byId('latency').hidden = !offered;
    byId('latency-absent').hidden = offered;
    setText(byId('latency-absent'), hasModule ? 'The module does not offer this (latency=0).'
      : 'Only the module measures this, and it is not read now.');
    if (!offered) return this.forget();
    const last = this.kept.at(-1);
    if (last && last.latency.minor.count > latency.minor.count) this.forget();
    if (!this.kept.length || last.ticks !== ticks) this.kept.push({latency, ticks});
    if (this.kept.length > TICKS + 1) this.kept.shift();
    const seen = (ticks - this.kept[0].ticks) * interval;
    setText(this.span, `The last ${format.duration(seen)}`);
    this.draw();
  }

  draw() {
    const {latency} = this.kept.at(-1);
    const before = this.recent.checked ? this.kept[0].latency : null;
    const counts = this.histograms.map(({severity}) =>
      buckets(latency[severity], before?.[severity]));
    // Both severities show the same buckets, without empty ones at either end.
    const used = counts[0].flatMap((n, i) => (n || counts[1][i] ? [i] : []));
    const range = used.length ? [used[0], used.at(-1)] : [0, -1];
    this.histograms.forEach((histogram, i) =>
      histogram.show(counts[i], latency.bounds_seconds, range));
  }
}
