// SPDX-License-Identifier: Apache-2.0
// Requests to the daemon.

const LIST_MS = 5000;       // how long an answer may take
const NAMING_MS = 30000;    // the same, after the seconds of an explanation
const EXPLAIN_LIMIT = 1000; // rows of each list of an explanation

// The daemon refused a request, and says why in a sentence.
export class Refusal extends Error {}

// `isRefusal`: whether an answer with this status is one.
async function get(path, query = {}, signal = AbortSignal.timeout(LIST_MS),
  isRefusal = (status) => status === 400) {
  const url = `api/v1/${path}?${new URLSearchParams(query)}`;
  const response = await fetch(url.replace(/\?$/, ''), {cache: 'no-store', signal});
  // A proxy between page and daemon may answer with something that is not JSON.
  const isJson = response.headers.get('Content-Type')?.startsWith('application/json');
  if (!isJson) throw new Error(`status ${response.status}`);
  const answer = await response.json();
  if (isRefusal(response.status)) throw new Refusal(answer.error);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return answer;
}

export const status = () => get('status');

export async function list({view, sort, order, limit, filter, cgroup, group}) {
  const query = {sort, order, limit};
  if (filter) query.filter = filter;
  if (cgroup) query.cgroup = cgroup;
  if (group) query.group = group;
  if (view === 'processes') query.history = 1;
  const answer = await get(view, query);
  return {items: answer[view], matching: answer.matching};
}

// `selector`: {comm}, {pid} or {cgroup}. The answer comes after `seconds`.
export function explain(selector, seconds, signal) {
  const timeout = AbortSignal.timeout(1000 * seconds + NAMING_MS);
  return get('explain', {...selector, seconds, limit: EXPLAIN_LIMIT},
    AbortSignal.any([signal, timeout]), (status) => status >= 400);
}
