// SPDX-License-Identifier: Apache-2.0
// Requests to the daemon.

// The daemon refused a request: a parameter is wrong.
export class Refusal extends Error {}

async function get(path, query = {}) {
  const url = `api/v1/${path}?${new URLSearchParams(query)}`;
  const response = await fetch(url.replace(/\?$/, ''),
    {cache: 'no-store', signal: AbortSignal.timeout(5000)});
  // A proxy between page and daemon may answer with something that is not JSON.
  const isJson = response.headers.get('Content-Type')?.startsWith('application/json');
  if (!isJson) throw new Error(`status ${response.status}`);
  const answer = await response.json();
  if (response.status === 400) throw new Refusal(answer.error);
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
