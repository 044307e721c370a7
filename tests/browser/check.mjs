// SPDX-License-Identifier: Apache-2.0
// The live page in Chromium: prints `ok NAME` or `FAIL NAME: why` a test, and
// leaves screenshots.
// usage: node check.mjs DAEMON FIXTURES WORK SCREENSHOTS
import {join} from 'node:path';
import {chromium} from 'playwright-core';
import {Daemon} from './daemon.mjs';
import {testExplain, testWithoutProfile} from './explain.mjs';
import {testGroups} from './groups.mjs';
import {accessible, badge, cells, filled, names, overflow, problem, rows, same, test, until}
  from './lib.mjs';
import {HOSTILE, HOSTILE_CGROUP, Table} from './table.mjs';

const [program, fixtures, work, pictures] = process.argv.slice(2);
const cgroups = join(work, 'cgroup');
const table = new Table(join(work, 'debugfs'), cgroups, fixtures);
const daemon = await Daemon.start(program, ['--path.debugfs', join(work, 'debugfs'),
  '--path.cgroup', cgroups, '--path.pod-logs', join(fixtures, '../log'), '--group.by', 'comm', '--profile']);
const browser = await chromium.launch({executablePath: '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : []});

// Opens a page, and notes what the browser reports about it.
async function open(options = {}, hash = '', served = daemon) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
  const page = await context.newPage();
  const seen = {errors: [], foreign: [], silent: false};
  page.on('pageerror', (error) => seen.errors.push(error.stack));
  page.on('console', (message) => {
    // The browser itself reports a daemon that was ended, a refused filter, and an
    // explanation that was refused.
    const expected = message.text().startsWith('Failed to load resource') &&
      (seen.silent || /filter=%28|\/explain\?/.test(message.location().url));
    if (['error', 'warning'].includes(message.type()) && !expected) seen.errors.push(`${message.text()} ${message.location().url}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(served.url)) seen.foreign.push(request.url());
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation',
      (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.goto(served.url + hash);
  return {page, seen, context};
}

const picture = (page, name) => page.screenshot({path: picture.path(name), fullPage: true});
picture.path = (name) => join(pictures, `${name}.png`);

const {page, seen} = await open();
await test('loads', async () => {
  await filled(page);
  same(await badge(page), 'Live');
  same(await page.locator('#problems').isVisible(), false);
  same(await rows(page).count(), 25);
  await until('a chart is drawn', () => page.locator('#charts canvas').count());
});

await test('updates', async () => {
  const before = await cells(page, 'faults');
  const line = page.locator('#table .spark polyline').first();
  await until('other numbers', async () => String(await cells(page, 'faults')) !== String(before));
  await until('a sparkline', async () => (await line.getAttribute('points')).split(' ').length > 4);
});

await test('sorts by each column, and back', async () => {
  for (const [column, key] of [['rss', 'rss_bytes'], ['pid', 'pid'], ['vma', 'vma_bytes']]) {
    const header = page.locator(`thead [data-column="${column}"]`);
    await header.getByRole('button').click();
    const first = column === 'pid' ? 'ascending' : 'descending';
    await until('the order', async () => await header.getAttribute('aria-sort') === first);
    for (const order of [first, first === 'ascending' ? 'descending' : 'ascending']) {
      if (order !== first) await header.getByRole('button').click();
      const {processes} = await daemon.get(
        `api/v1/processes?sort=${column}&order=${order === 'ascending' ? 'asc' : 'desc'}&limit=25`);
      const wanted = processes.map(({pid}) => String(pid));
      await until(`${column} ${order} (${key})`,
        async () => String(await cells(page, 'pid')) === String(wanted));
      same(await header.getAttribute('aria-sort'), order);
    }
  }
  same(await page.locator('thead [aria-sort]').count(), 1);
});

await test('the rows to show and the order can be chosen', async () => {
  await page.getByLabel('Rows').selectOption('10');
  await until('10 rows', async () => await rows(page).count() === 10);
  await page.getByLabel('Top by').selectOption('major_rate');
  await until('majors first', async () => (await names(page))[0] === 'log-grep');
  await page.getByLabel('Rows').selectOption('100');
});

await test('filters, and says what is wrong with a filter', async () => {
  const filter = page.getByLabel('Filter');
  await filter.fill('^(java|nginx)$');
  await until('two comms', async () => new Set(await names(page)).size === 2);
  await filter.fill('(');
  const problem = page.locator('#filter-problem');
  await until('a problem', async () => (await problem.textContent()).includes('missing )'));
  same(await filter.getAttribute('aria-invalid'), 'true');
  same(new Set(await names(page)).size, 2, 'the table');
  same(await badge(page), 'Live');
  await filter.fill('nothing-has-this-name');
  await until('no rows', async () => await rows(page).count() === 0);
  same(await problem.textContent(), '');
  await filter.fill('^java$');
  await page.getByLabel('Rows').selectOption('500');
  await until('what was just typed', async () => new Set(await names(page)).size === 1);
  same(await filter.inputValue(), '^java$');
  await filter.fill('');
  await until('all rows', async () => await rows(page).count() > 30);
});

await test('a process opens, stays open and focused', async () => {
  const button = page.locator('#table tbody .name').nth(2);
  await button.focus();
  await page.keyboard.press('Enter');
  const more = page.locator('#table .more');
  same(await more.count(), 1);
  same(await page.locator(':focus').getAttribute('aria-expanded'), 'true');
  await until('why', async () => (await more.textContent()).includes('minor write anon'));
  await page.waitForTimeout(1500);
  same(await more.count(), 1);
  same(await page.locator(':focus').getAttribute('aria-expanded'), 'true');
  await picture(page, 'details');
  await page.keyboard.press('Enter');
  same(await more.count(), 0);
});

await test('pause holds it all', async () => {
  await page.getByRole('button', {name: 'Pause'}).click();
  same(await badge(page), 'Paused');
  await page.waitForTimeout(300);
  let asked = 0;
  page.on('request', () => { ++asked; });
  const before = await cells(page, 'faults');
  await page.waitForTimeout(1500);
  same(asked, 0, 'requests');
  same(await cells(page, 'faults'), before);
  await page.getByRole('button', {name: 'Pause'}).click();
  await until('it goes on', async () => String(await cells(page, 'faults')) !== String(before));
});

await test('comms, and from one to its processes', async () => {
  await page.getByLabel('Comms', {exact: true}).check();
  await until('comms', async () => new Set(await names(page)).size === await rows(page).count());
  const {comms} = await daemon.get('api/v1/comms?sort=processes&limit=1000');
  await until('all of them', async () => await rows(page).count() === comms.length);
  await picture(page, 'comms');
  await page.getByRole('button', {name: 'build-farm', exact: true}).click();
  await until('its processes', async () => {
    const shown = await names(page);
    return shown.length === 4 && shown.every((name) => name === 'build-farm');
  });
  await page.reload();
  await until('kept in the address', async () => (await names(page)).length === 4);
  await page.getByLabel('Filter').fill('');
});

await testGroups(page, daemon, picture);
await testExplain(open, daemon, join(fixtures, '../explain.json'), picture);

await test('latency: in all and of the last ticks', async () => {
  same(await page.locator('#latency .bars:visible').count(), 2);
  await page.getByLabel(/The last/).check();
  await until('less than in all', async () =>
    /^[\d,]+; half ≤ [\d.]+ [µm]s, 99 % ≤ /.test(await page.locator('#latency figcaption .quiet').first().textContent()));
});

await test('markup in a comm is text', async () => {
  await page.getByLabel('Rows').selectOption('500');
  // Right-to-left overrides and control characters are shown as signs.
  const shown = HOSTILE.map((comm) => comm.replace('\u202e', '\ufffd').replace('\n', '\u240a'));
  for (const view of ['Processes', 'Comms', 'Groups']) {
    await page.getByLabel(view, {exact: true}).check();
    await until(`${view}: all of them`, async () => {
      const there = await names(page);
      return shown.every((comm) => there.includes(comm));
    });
    same(await page.locator('#hacked, main img, main script, main b, main [onclick], main [onload]').count(), 0);
    same(await page.evaluate(() => typeof window.hacked), 'undefined');
  }
  for (const comm of HOSTILE) {
    await page.getByLabel('Comms', {exact: true}).check();
    await page.getByLabel('Filter').fill('');
    const button = page.locator('.name').getByText(shown[HOSTILE.indexOf(comm)], {exact: true});
    await button.click();
    await until(`only ${comm}`, async () => {
      const there = await names(page);
      return there.length === 1 && there[0] === shown[HOSTILE.indexOf(comm)];
    });
    await page.locator('#table tbody .name').click();
    await until('details', () => page.locator('#table .more').count());
  }
  await page.getByLabel('Filter').fill('');
  await page.getByLabel('Containers', {exact: true}).check();
  await page.locator('.name').getByText(`/${HOSTILE_CGROUP}`, {exact: true}).click();
  await until('the selection', async () =>
    (await page.locator('#selection-name').textContent()) === `/${HOSTILE_CGROUP}`);
  await until('its processes', async () => await rows(page).count() > 3);
  same(await page.locator('main img').count(), 0);
  same(await page.evaluate(() => typeof window.hacked), 'undefined');
  await page.getByLabel('Filter').fill('');
});

await test('by keyboard alone', async () => {
  await page.goto('about:blank');
  await page.goto(daemon.url);
  await filled(page);
  await page.keyboard.press('Tab');
  same(await page.locator(':focus').textContent(), 'Skip to the processes');
  await page.keyboard.press('Enter');
  const reached = [];
  for (let i = 0; i < 16; ++i) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement.id || document.activeElement.textContent));
  }
  for (const control of ['sort', 'limit', 'filter', 'RSS'])
    same(reached.includes(control), true, `${control} in ${reached}`);
});

await test('the module goes: values from /proc, and it says so', async () => {
  table.hide();
  await until('the badge', async () => await badge(page) === 'Live, from /proc');
  await problem(page, 'because the module cannot be');
  await until('no stall', async () => (await cells(page, 'stall_rate')).every((text) => text === '–'));
  same(await page.locator('#latency-absent').isVisible(), true, 'no latency');
  await picture(page, 'procfs');
  table.reveal();
  await until('the badge', async () => await badge(page) === 'Live');
  same(await page.locator('#latency-absent').isVisible(), false);
});

await test('nothing can be read: the last values, and it says so', async () => {
  const strict = await Daemon.start(program, ['--source', 'module', '--path.debugfs', join(work, 'debugfs')]);
  const other = await open({}, '', strict);
  await filled(other.page);
  table.hide();
  await until('the badge', async () => await badge(other.page) === 'Not current');
  await problem(other.page, 'The source cannot be read');
  await problem(other.page, 'last good read');
  same(await rows(other.page).count() > 5, true, 'rows');
  same(await other.page.getByLabel('Groups', {exact: true}).isVisible(), false, 'there are no rules');
  await accessible(other.page);
  await picture(other.page, 'not-current');
  table.reveal();
  await until('the badge', async () => await badge(other.page) === 'Live');
  same(other.seen.errors, []);
  same(other.seen.foreign, []);
  await other.context.close();
  await strict.end();
});

await test("survives the daemon's restart", async () => {
  seen.silent = true;
  await daemon.end();
  await until('the badge', async () => await badge(page) === 'No answer');
  await problem(page, 'No answer since');
  same(await rows(page).count() > 5, true, 'rows');
  await picture(page, 'no-answer');
  await daemon.begin();
  await until('the badge', async () => await badge(page) === 'Live');
  await problem(page, 'was restarted');
  seen.silent = false;
});

await test('accessible (axe), light', () => accessible(page));
// Long enough for the charts to have a shape.
await page.waitForTimeout(15000);
await picture(page, 'light');
// The picture of README.md: exporter/live-page.png.
const shown = await open({}, '#limit=10');
await filled(shown.page);
await until('charts', async () => await shown.page.locator('#charts canvas').count() >= 3);
await shown.page.screenshot({path: join(pictures, 'live-page.png')});
await shown.context.close();
await test('no error, no violation of the policy, nothing from elsewhere', async () => {
  same(seen.errors, []);
  same(await page.evaluate(() => window.violations), []);
  same(seen.foreign, []);
});

await test('dark', async () => {
  const dark = await open({colorScheme: 'dark'});
  await filled(dark.page);
  const [back, text] = await dark.page.evaluate(() => {
    const style = getComputedStyle(document.body);
    return [style.backgroundColor, style.color].map((color) =>
      color.match(/\d+/g).map(Number).reduce((a, b) => a + b));
  });
  same(back < 150 && text > 500, true, `${back} ${text}`);
  await dark.page.locator('#table tbody .name').first().click();
  await accessible(dark.page);
  await picture(dark.page, 'dark');
  same(dark.seen.errors, []);
  await dark.context.close();
});

for (const width of [390, 320]) {
  await test(`${width} pixels wide: no scrolling sideways`, async () => {
    const phone = await open({viewport: {width, height: 780}, isMobile: true, hasTouch: true,
      deviceScaleFactor: 2}, '#limit=100');
    await filled(phone.page);
    same(await overflow(phone.page), 0, 'processes');
    await phone.page.locator('#table tbody .name').first().click();
    same(await overflow(phone.page), 0, 'details');
    if (width === 390)
      await phone.page.screenshot({path: join(pictures, 'phone.png'), fullPage: true,
        clip: {x: 0, y: 0, width, height: 1500}});
    await phone.page.getByLabel('Top by').selectOption('rss');
    await until('RSS is seen', () => phone.page.locator('#table td[data-column="rss"]').first().isVisible());
    await phone.page.getByLabel('Comms', {exact: true}).check();
    await phone.page.waitForTimeout(700);
    same(await overflow(phone.page), 0, 'comms');
    await phone.page.getByLabel('Containers', {exact: true}).check();
    await phone.page.getByRole('button', {name: 'id:4711', exact: true}).waitFor();
    same(await overflow(phone.page), 0, 'containers');
    await phone.page.getByRole('button', {name: 'shop/leaky-cache-0/cache', exact: true}).click();
    await phone.page.getByRole('button', {name: 'Show all processes'}).waitFor();
    same(await overflow(phone.page), 0, 'the processes of one');
    await accessible(phone.page);
    same(phone.seen.errors, []);
    await phone.context.close();
  });
}

await test('an address that asks for groups, which the daemon does not have', async () => {
  const plain = await Daemon.start(program, ['--path.debugfs', join(work, 'debugfs')]);
  const other = await open({}, '#view=groups', plain);
  await until('it says so', async () => (await other.page.locator('#caption').textContent())
    .includes('no rules of groups'));
  await other.page.getByLabel('Processes', {exact: true}).check();
  await filled(other.page);
  same(other.seen.errors, []);
  await other.context.close();
  await testWithoutProfile(open, plain);
  await plain.end();
});

await test('without JavaScript there is the state and a link', async () => {
  const plain = await open({javaScriptEnabled: false});
  same(await plain.page.locator('#state').isVisible(), false, 'the state');
  same(await plain.page.getByRole('link', {name: 'Metrics'}).getAttribute('href'), '/metrics');
  same(/\d+ processes, read from the source "module"/.test(await plain.page.textContent('body')), true);
  await picture(plain.page, 'plain');
  await plain.context.close();
});

await test('the policy holds: an inline script does not run', async () => {
  const hit = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.hacked = 1';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.hacked = 1">');
    await new Promise((resolve) => setTimeout(resolve, 500));
    return [typeof window.hacked, window.violations.length > 0];
  });
  same(hit, ['undefined', true]);
});

await browser.close();
table.end();
await daemon.end();
