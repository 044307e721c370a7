// SPDX-License-Identifier: Apache-2.0
// The columns of the table.
import * as format from './format.js';

// title; sort: the API's name of the order; text: of an item; spark: the key of its
// history; module: shown only if the source is the module; name: the name of the item;
// only: the views that have the column.
export const columns = {
  comm: {title: 'Comm', sort: 'comm', name: true, only: ['processes', 'comms']},
  cgroup: {title: 'Container or unit', sort: 'cgroup', name: true, only: ['cgroups']},
  group: {title: 'Group', sort: 'group', name: true, only: ['groups']},
  pid: {title: 'PID', sort: 'pid', text: (item) => String(item.pid), only: ['processes']},
  processes: {title: 'Processes', sort: 'processes', only: ['comms', 'cgroups', 'groups'],
    text: (item) => format.count(item.processes)},
  faults_rate: {title: 'Fault rate', sort: 'faults_rate', spark: 'faults_rate',
    text: (item) => format.rate(item.faults_rate), about: 'page faults per second'},
  major_rate: {title: 'Major rate', sort: 'major_rate', spark: 'major_rate',
    text: (item) => format.rate(item.major_rate),
    about: 'faults per second: read from disk or swap, or retried'},
  stall_rate: {title: 'Stall', sort: 'stall_rate', spark: 'stall_rate', module: true,
    text: (item) => format.stall(item.stall_rate),
    about: 'time spent in faults, per second'},
  rss: {title: 'RSS', sort: 'rss', spark: 'rss_bytes', text: (item) => format.bytes(item.rss_bytes),
    about: 'resident memory'},
  vma: {title: 'VMA', sort: 'vma', text: (item) => format.bytes(item.vma_bytes),
    about: 'virtual memory'},
  faults: {title: 'Faults in all', sort: 'faults', text: (item) => format.count(item.faults),
    about: 'since the source began to count'},
};

export const columnsOf = (view) =>
  Object.values(columns).filter(({only}) => !only || only.includes(view));

// The order of a view in which the user has not chosen one: names and pids from the
// first, numbers from the largest.
export const firstOrder = (sort) =>
  (Object.values(columns).find((column) => column.sort === sort)?.name || sort === 'pid'
    ? 'asc' : 'desc');

// The order of a view that is like the one of the view before.
export function orderIn(view, {sort, order}) {
  const all = columnsOf(view);
  if (all.some((column) => column.sort === sort)) return {sort, order};
  const byName = Object.values(columns).some((column) => column.sort === sort && column.name);
  return byName ? {sort: all.find(({name}) => name).sort, order}
    : {sort: 'faults_rate', order: 'desc'};
}
