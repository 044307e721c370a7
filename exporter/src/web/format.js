// SPDX-License-Identifier: Apache-2.0
// Formats numbers and names for people.

const integers = new Intl.NumberFormat('en');

// At most three significant digits.
function short(value) {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return integers.format(Math.round(value));
  return String(Number(value.toPrecision(size >= 10 ? 3 : 2)));
}

function scaled(value, units) {
  let best = units[0];
  for (const unit of units) if (Math.abs(value) >= unit[0] * 0.9995) best = unit;
  return `${short(value / best[0])} ${best[1]}`.trimEnd();
}

const decimal = [[1, ''], [1e3, 'k'], [1e6, 'M'], [1e9, 'G'], [1e12, 'T']];
const binary = [[1, 'B'], [2 ** 10, 'KiB'], [2 ** 20, 'MiB'], [2 ** 30, 'GiB'], [2 ** 40, 'TiB']];
const times = [[1e-9, 'ns'], [1e-6, 'µs'], [1e-3, 'ms'], [1, 's']];

export const count = (value) => integers.format(value);
export const rate = (value) => (value ? `${scaled(value, decimal)}/s` : '0/s');
export const bytes = (value) => scaled(value, binary);
export const seconds = (value) => (value ? scaled(value, times) : '0 s');
// Stall is a time per second.
export const stall = (value) => (value ? `${scaled(value, times)}/s` : '0 s/s');
export const percent = (part, whole) =>
  (whole ? `${short(100 * part / whole)} %` : '–');

export function duration(value) {
  if (value < 90) return `${Math.round(value)} s`;
  if (value < 5400) return `${Math.round(value / 60)} min`;
  return value < 172800 ? `${Math.round(value / 3600)} h`
    : `${Math.round(value / 86400)} days`;
}

export const clock = (unixSeconds) =>
  new Date(unixSeconds * 1000).toLocaleTimeString('en-GB');
export const moment = (unixSeconds) =>
  new Date(unixSeconds * 1000).toLocaleString('en-GB');

// Any user can give a process any name. Characters that are invisible, or that
// change the direction of the text around them, are shown as symbols.
export function name(comm) {
  if (comm === '') return '(no name)';
  return comm
    .replace(/[\u0000-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/\u007f/g, '\u2421')
    .replace(/[\u0080-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '\ufffd');
}

// A text of the daemon, as a sentence.
export function sentence(text) {
  const shown = name(text);
  return `${shown.charAt(0).toUpperCase()}${shown.slice(1)}`.replace(/[^.!?]$/, '$&.');
}

// A regular expression (RE2) that matches exactly this text and fits on one line.
export const quoted = (text) => {
  const escape = (c) => (c < ' ' ? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}` : `\\${c}`);
  return `^${text.replace(/[^A-Za-z0-9_\u0080-\uffff]/g, escape)}$`;
};
