// SPDX-License-Identifier: Apache-2.0
// What the table can list.

const OTHER = 'other';  // the bucket of what has no sums of its own

// name: the API's name of an item; many: how the caption calls them; filter: what the
// filter looks at; sums: over processes, which a click on one lists; known: whether the
// daemon with this status has them; absent: why not.
export const views = {
  processes: {name: 'comm', many: 'processes', filter: 'comm', known: () => true},
  comms: {name: 'comm', many: 'comms', filter: 'comm', sums: true, known: () => true},
  cgroups: {name: 'cgroup', many: 'control groups', filter: 'pod, unit or path',
    sums: true, known: (status) => status.has_cgroups,
    absent: 'The daemon has no sums by control group (--cgroups.max=0)'},
  groups: {name: 'group', many: 'groups', filter: 'group', sums: true,
    known: (status) => status.has_groups, absent: 'The daemon has no rules of groups (--group.by)'},
};

export const nameOf = (view, item) => item[views[view].name];

// The parameter of /api/v1/explain that selects an item; null if there is none: for the
// groups of rules, for the buckets, and for a control group whose path is not known.
export function selectorOf(view, item) {
  if (view === 'processes') return {pid: item.pid};
  if (view === 'comms' && item.comm !== OTHER) return {comm: item.comm};
  if (view === 'cgroups' && item.cgroup.startsWith('/')) return {cgroup: item.cgroup};
  return null;
}

// What people call it. A control group that the daemon knows has names.
export const shownOf = (view, item) => item.info?.name ?? nameOf(view, item);
