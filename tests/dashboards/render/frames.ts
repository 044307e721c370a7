// SPDX-License-Identifier: Apache-2.0
// From Prometheus's answers to Grafana's data frames, with a panel's field
// options applied as Grafana would.
import {
  createTheme, DataFrame, Field, FieldType, getDisplayProcessor, GrafanaTheme2,
  TimeRange, dateTime,
} from '@grafana/data';

export const input = (window as any).input;
export const theme: GrafanaTheme2 = createTheme({colors: {mode: input.theme}});
export const timeRange: TimeRange = {
  from: dateTime(input.from * 1000),
  to: dateTime(input.to * 1000),
  raw: {from: dateTime(input.from * 1000), to: dateTime(input.to * 1000)},
};

type Labels = Record<string, string>;

const number = (text: string) => {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
};

function legend(format: string, labels: Labels): string {
  return format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '');
}

function setDeep(target: any, path: string, value: unknown) {
  const [first, ...rest] = path.split('.');
  if (rest.length === 0) target[first] = value;
  else setDeep((target[first] ??= {}), rest.join('.'), value);
}

// The panel's defaults, then the overrides that name the field.
export function withConfig(panel: any, field: Field, name: string, i: number): Field {
  const config = structuredClone(panel.fieldConfig.defaults);
  config.custom ??= {};
  for (const override of panel.fieldConfig.overrides) {
    const {id, options} = override.matcher;
    const named = id === 'byRegexp' ? new RegExp(options.slice(1, -1)).test(name)
      : [name, field.name].includes(options);
    if (!named) continue;
    for (const {id, value} of override.properties) setDeep(config, id, value);
  }
  for (const step of config.thresholds?.steps ?? []) step.value ??= -Infinity;
  const result: Field = {
    ...field, config: {...config, displayName: name, links: undefined},
    state: {seriesIndex: i, displayName: name},
  };
  if (field.type === FieldType.number) {
    const values = field.values.filter((value) => value !== null);
    const [min, max] = [Math.min(...values), Math.max(...values)];
    result.state!.range = {min, max, delta: max - min};
  }
  result.display = getDisplayProcessor({field: result, theme});
  return result;
}

function timeField(times: number[]): Field {
  const field: Field = {name: 'Time', type: FieldType.time, config: {}, values: times};
  field.display = getDisplayProcessor({field, theme});
  return field;
}

// One frame a series, on the panel's common times: a gap stays a gap.
export function seriesOf(panel: any): DataFrame[] {
  const step = Math.max(1, Math.round((input.to - input.from) / 240));
  const times: number[] = [];
  for (let t = input.from; t <= input.to; t += step) times.push(t);
  let i = 0;
  return panel.targets.flatMap((target: any) =>
    input.data[`${panel.id} ${target.refId}`].result.map((series: any) => {
      const name = legend(target.legendFormat, series.metric);
      const at = new Map(series.values.map(([t, v]: [number, string]) => [t, number(v)]));
      const field: Field = {
        name, type: FieldType.number, labels: series.metric, config: {},
        values: times.map((t) => at.get(t) ?? null),
      };
      return {
        refId: target.refId, length: times.length,
        fields: [timeField(times.map((t) => t * 1000)), withConfig(panel, field, name, i++)],
      };
    }));
}

// The transformations that the tables use: merge by labels, then organize.
export function tableOf(panel: any): DataFrame {
  const rows = new Map<string, Labels>();
  const columns = new Set<string>();
  for (const target of panel.targets) {
    for (const {metric, value} of input.data[`${panel.id} ${target.refId}`].result) {
      const same = [...rows.values()].find((row) =>
        Object.entries(metric).every(([k, v]) => (row[k] ?? v) === v));
      const row = same ?? {};
      if (!same) rows.set(JSON.stringify(metric), row);
      Object.assign(row, metric, {[`Value #${target.refId}`]: value[1]});
      Object.keys(row).forEach((name) => columns.add(name));
    }
  }
  const {excludeByName, indexByName, renameByName} = panel.transformations
    .find((t: any) => t.id === 'organize').options;
  const names = [...columns].filter((name) => !excludeByName[name])
    .sort((a, b) => indexByName[a] - indexByName[b]);
  const fields = names.map((name, i) => {
    const numeric = name.startsWith('Value');
    const values = [...rows.values()].map((row) =>
      numeric ? number(row[name] ?? 'NaN') : row[name] ?? '');
    const field: Field = {
      name, type: numeric ? FieldType.number : FieldType.string, config: {}, values,
    };
    return withConfig(panel, field, renameByName[name] ?? name, i);
  });
  // Grafana takes a gauge's maximum from the column.
  for (const field of fields) {
    if (field.type === FieldType.number && field.config.max === undefined) {
      field.config.max = Math.max(...field.values.map(Number));
    }
  }
  return {
    length: rows.size,
    fields: fields.filter((field) => !field.config.custom?.hidden),
  };
}
