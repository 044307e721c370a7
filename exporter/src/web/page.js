// SPDX-License-Identifier: Apache-2.0
// The live page. It asks the daemon once a tick and shows the answers.
import * as api from './api.js';
import {Charts} from './charts.js';
import {columns, columnsOf, firstOrder, orderIn} from './columns.js';
import {byId, element, setText} from './dom.js';
import * as format from './format.js';
import {Health} from './health.js';
import {LatencyView} from './latency.js';
import {TICKS} from './sparkline.js';
import {Table} from './table.js';
import {nameOf, shownOf, views} from './views.js';

const RETRY_MS = 2000;
const RESTART_SECONDS = 60;  // how long a restart is mentioned
// cgroup, group: the one whose processes are listed.
const DEFAULTS = {view: 'processes', sort: 'faults_rate', order: 'desc', limit: '25', filter: '',
  cgroup: '', group: ''};
const NO_SELECTION = {cgroup: '', group: ''};

// The user's choices. They are kept in the address, so that it can be bookmarked
// and shared.
const wanted = {...DEFAULTS};
const health = new Health();
const charts = new Charts();
const latency = new LatencyView();
const table = new Table(sortBy, showProcessesOf);

let status = null;     // the daemon's last answer
let hasModule = false;
let paused = false;
let silentSince = null;
let restartedAt = 0;
let timer = 0;
let asked = 0;         // number of the last request; older answers are dropped
let sums = new Map();  // the history of sums, which the daemon does not keep

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const key of Object.keys(DEFAULTS)) wanted[key] = given.get(key) ?? DEFAULTS[key];
  if (!Object.hasOwn(views, wanted.view)) wanted.view = DEFAULTS.view;
  if (views[wanted.view].sums) Object.assign(wanted, NO_SELECTION);
  if (wanted.cgroup) wanted.group = '';
  if (!columnsOf(wanted.view).some(({sort}) => sort === wanted.sort)) wanted.sort = DEFAULTS.sort;
  if (!['asc', 'desc'].includes(wanted.order)) wanted.order = DEFAULTS.order;
  if (![...byId('limit').options].some(({value}) => value === wanted.limit))
    wanted.limit = DEFAULTS.limit;
}

function writeAddress() {
  const given = Object.entries(wanted).filter(([key, value]) => value !== DEFAULTS[key]);
  const hash = new URLSearchParams(given).toString();
  history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
}

// A view that the daemon does not have is shown if the address asks for it.
function showViews() {
  for (const input of document.getElementsByName('view')) {
    input.checked = input.value === wanted.view;
    input.parentNode.hidden = !input.checked && !(status && views[input.value].known(status));
  }
}

// `items`: the processes, one of which may know what the control group is called. While
// there is none, the name stays.
function showSelection(items = []) {
  const selected = wanted.cgroup || wanted.group;
  byId('selection').hidden = !selected;
  setText(byId('selection-kind'), wanted.cgroup ? 'the control group' : 'the group');
  const known = items.find(({cgroup}) => cgroup?.path === wanted.cgroup)?.cgroup.name;
  const name = byId('selection-name');
  const title = format.name(selected);
  if (known || name.title !== title) setText(name, format.name(known ?? selected));
  name.title = title;
}

function showChoices() {
  showViews();
  showSelection();
  byId('filter').placeholder = `${views[wanted.view].filter}, a regular expression`;
  const options = columnsOf(wanted.view).map(({sort, title}) =>
    element('option', {value: sort}, title));
  byId('sort').replaceChildren(...options);
  byId('sort').value = wanted.sort;
  byId('limit').value = wanted.limit;
  if (byId('filter').value !== wanted.filter) byId('filter').value = wanted.filter;
}

// Applies the input at once, even if the user has just typed it.
function choose(changes) {
  Object.assign(wanted, {filter: byId('filter').value}, changes);
  writeAddress();
  showChoices();
  ask();
}

// The header may still be that of the view before.
function sortBy(column) {
  const {sort} = orderIn(wanted.view, {sort: column});
  const again = sort === wanted.sort;
  const order = again ? (wanted.order === 'asc' ? 'desc' : 'asc') : firstOrder(sort);
  choose({sort, order});
}

// Lists the processes of one comm, control group or group, an item of this view.
function showProcessesOf(view, item) {
  const {name} = views[view];
  const selection = name === 'comm' ? {filter: format.quoted(item.comm)}
    : {filter: '', [name]: item[name]};
  choose({view: 'processes', ...orderIn('processes', wanted), ...NO_SELECTION, ...selection});
  setText(byId('selection-name'), format.name(shownOf(view, item)));
  byId('processes').focus();
}

function chooseView(view) {
  choose({view, ...orderIn(view, wanted), ...NO_SELECTION});
}

const keyOf = (item) => `${wanted.view} ${nameOf(wanted.view, item)}`;

// Appends one point for each of the sums in the answer. One that is not in it has no
// point for that tick, and is forgotten after TICKS of them.
function noteSums(items, ticks) {
  for (const item of items) {
    const kept = sums.get(keyOf(item)) ?? {ticks: [], points: []};
    sums.set(keyOf(item), kept);
    if (kept.ticks.at(-1) === ticks) continue;
    kept.ticks.push(ticks);
    kept.points.push(item);
    if (kept.ticks.length > TICKS) { kept.ticks.shift(); kept.points.shift(); }
  }
  for (const [key, kept] of sums)
    if (kept.ticks.at(-1) <= ticks - TICKS) sums.delete(key);
}

// The points since the last gap.
function historyOf(item) {
  if ('pid' in item) return item.history;
  const {ticks, points} = sums.get(keyOf(item));
  let first = points.length - 1;
  while (first > 0 && ticks[first] - ticks[first - 1] === 1) --first;
  const keys = Object.values(columns).flatMap(({spark}) => spark ?? []);
  return Object.fromEntries(keys.map((key) => [key, points.slice(first).map((point) => point[key])]));
}

function noteRestart(next) {
  if (!status || next.ticks >= status.ticks) return;
  restartedAt = Date.now() / 1000;
  sums = new Map();
  latency.forget();
}

function show(next, list) {
  noteRestart(next);
  status = {...next, at: Date.now()};
  // While no source can be read, the page keeps the last good values and their source.
  if (status.source !== null) hasModule = status.source === 'module';
  byId('live').hidden = false;
  charts.show(status, hasModule);
  latency.show(status, hasModule && status.source !== null);
  showViews();
  if (!list) return;
  if (views[wanted.view].sums) noteSums(list.items, status.ticks);
  else showSelection(list.items);
  table.show(wanted, list.items, historyOf, {hasModule, hasExplain: status.has_explain});
  showCaption(list);
}

function showCaption(list) {
  const {many: what, known, absent} = views[wanted.view];
  setText(byId('caption'), status.age_seconds !== null && !known(status) ? absent
    : list.matching > list.items.length
    ? `${format.count(list.items.length)} of ${format.count(list.matching)} ${what}`
    : `${format.count(list.matching)} ${what}` + (wanted.filter ? ' match the filter' : ''));
}

function showHealth() {
  const notices = Date.now() / 1000 - restartedAt < RESTART_SECONDS
    ? [['note', `The daemon was restarted, seen at ${format.clock(restartedAt)}: the charts begin anew.`]] : [];
  const age = status && status.age_seconds !== null
    ? status.age_seconds + (Date.now() - status.at) / 1000 : null;
  setText(byId('age'), age === null ? '' : `read ${format.duration(age)} ago`);
  if (status || silentSince) health.show(status, {age, paused, silentSince, notices});
}

function showFilterProblem(text) {
  setText(byId('filter-problem'), text);
  byId('filter').setAttribute('aria-invalid', String(Boolean(text)));
}

// If the daemon refuses the filter, the table stays as it was and the rest is
// updated.
async function askList() {
  try {
    const answer = await api.list(wanted);
    showFilterProblem('');
    return answer;
  } catch (error) {
    if (!(error instanceof api.Refusal)) throw error;
    showFilterProblem(error.message);
    return null;
  }
}

async function ask() {
  const question = ++asked;
  clearTimeout(timer);
  const answers = await Promise.all([api.status(), askList()]).catch(() => null);
  if (question !== asked) return;
  if (!paused && !document.hidden)
    timer = setTimeout(ask, answers ? Math.max(answers[0].interval_seconds * 1000, 500) : RETRY_MS);
  if (answers) {
    silentSince = null;
    show(...answers);
  } else {
    silentSince ??= Date.now();
  }
  showHealth();
}

function pause() {
  paused = !paused;
  byId('pause').setAttribute('aria-pressed', String(paused));
  if (paused) clearTimeout(timer);
  else ask();
  showHealth();
}

function listen() {
  let typing = 0;
  byId('filter').addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(choose, 250);
  });
  byId('sort').addEventListener('change', ({target}) =>
    choose({sort: target.value, order: firstOrder(target.value)}));
  byId('limit').addEventListener('change', ({target}) => choose({limit: target.value}));
  for (const input of document.getElementsByName('view'))
    input.addEventListener('change', () => chooseView(input.value));
  byId('selection-remove').addEventListener('click', () => {
    choose(NO_SELECTION);
    byId('processes').focus();
  });
  byId('pause').addEventListener('click', pause);
  // While the page is hidden, it sends no requests.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) clearTimeout(timer);
    else if (!paused) ask();
  });
  addEventListener('hashchange', () => {
    if (location.hash === '#processes') return;  // set by the skip link
    readAddress();
    showChoices();
    ask();
  });
}

setText(byId('host'), `on ${location.host}`);
byId('pause').hidden = byId('header-state').hidden = false;
readAddress();
showChoices();
listen();
setInterval(showHealth, 1000);
ask();
