// SPDX-License-Identifier: Apache-2.0
// Draws the last ticks as a small line beside the current number.
import {svg} from './dom.js';

const WIDTH = 72;
const HEIGHT = 18;
// How many ticks the page shows of anything; the daemon keeps as many. A number of
// ticks and not a time: a line of this width has room for so many points.
export const TICKS = 60;

export class Sparkline {
  constructor() {
    this.line = svg('polyline', {fill: 'none'});
    this.node = svg('svg', {class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      width: WIDTH, height: HEIGHT, 'aria-hidden': 'true', focusable: 'false'});
    this.node.append(this.line);
  }

  // The newest point is at the right; the scale runs from 0 to the highest point.
  show(values) {
    const last = (values ?? []).slice(-TICKS);
    const top = Math.max(...last, 0);
    const points = last.map((value, i) => {
      const x = WIDTH - 1 - (last.length - 1 - i) * (WIDTH - 2) / (TICKS - 1);
      const y = HEIGHT - 1 - (top ? value / top : 0) * (HEIGHT - 3);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    this.node.classList.toggle('flat', top === 0);
    this.line.setAttribute('points', points.length > 1 ? points.join(' ') : '');
  }
}
