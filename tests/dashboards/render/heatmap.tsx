// SPDX-License-Identifier: Apache-2.0
// @grafana/ui has no heatmap (the panel is part of Grafana itself): this one
// draws the same buckets.
import {getValueFormat} from '@grafana/data';
import {input, theme} from './frames';

const LEFT = 60;
const BOTTOM = 22;

export function Heatmap({panel, width, height}: {panel: any; width: number; height: number}) {
  const series = input.data[`${panel.id} ${panel.targets[0].refId}`].result
    .map((s: any) => ({
      le: Number(s.metric.le === '+Inf' ? Infinity : s.metric.le),
      at: new Map(s.values.map(([t, v]: [number, string]) => [t, Number(v)])),
    }))
    .sort((a: any, b: any) => a.le - b.le);
  const times = [...new Set<number>(series.flatMap((s: any) => [...s.at.keys()]))]
    .sort((a, b) => a - b);
  const cells = series.map((s: any, i: number) => times.map((t) =>
    Math.max(0, (s.at.get(t) ?? 0) - (i ? series[i - 1].at.get(t) ?? 0 : 0))));
  const most = Math.max(...cells.flat(), 1e-9);
  const first = cells.findIndex((row: number[]) => row.some((v) => v > most / 1e6));
  const last = cells.length - 1 -
    [...cells].reverse().findIndex((row: number[]) => row.some((v) => v > most / 1e6));
  const rows = cells.slice(first, last + 1);
  const w = (width - LEFT) / times.length;
  const h = (height - BOTTOM) / rows.length;
  const format = getValueFormat('s');
  const ink = theme.colors.text.secondary;
  return (
    <svg width={width} height={height} fontSize={12} fontFamily={theme.typography.fontFamily}>
      {rows.map((row: number[], i: number) => row.map((v, j) => v > 0 && (
        <rect key={`${i} ${j}`} x={LEFT + j * w} y={height - BOTTOM - (i + 1) * h}
          width={Math.max(w - 1, 1)} height={Math.max(h - 1, 1)} fill="#FF9830"
          fillOpacity={Math.pow(v / most, 0.4)} />)))}
      {rows.map((_: unknown, i: number) => i % 3 === 0 && (
        <text key={i} x={LEFT - 8} y={height - BOTTOM - (i + 1) * h + 4} fill={ink}
          textAnchor="end">
          {Number.isFinite(series[first + i].le)
            ? (({text, suffix}) => text + (suffix ?? ''))(format(series[first + i].le, 0)) : '∞'}
        </text>))}
      {[0, 0.25, 0.5, 0.75].map((part) => (
        <text key={part} x={LEFT + part * (width - LEFT)} y={height - 4} fill={ink}>
          {new Date((input.from + part * (input.to - input.from)) * 1000)
            .toTimeString().slice(0, 5)}
        </text>))}
    </svg>);
}
