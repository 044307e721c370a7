// SPDX-License-Identifier: Apache-2.0
// Where faults come from, on the page. The answers are those of fixtures/explain.json,
// because to sample takes rights that a test may lack.
import {readFileSync} from 'node:fs';
import {testFrames} from './frames.mjs';
import {accessible, filled, names, overflow, rows, same, test, until} from './lib.mjs';

const HOSTILE = '<img src=x onerror=hacked=1>';
const json = (body, status = 200) =>
  ({status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(body)});

// Answers the page in the daemon's place. Returns what it is asked.
async function intercept(page, reply) {
  const asked = [];
  await page.route('**/api/v1/explain?*', async (route) => {
    asked.push(Object.fromEntries(new URL(route.request().url()).searchParams));
    await reply.until;
    // The page may have cancelled it.
    await (reply.with ? route.fulfill(reply.with) : route.abort()).catch(() => {});
  });
  return asked;
}

const panel = (page) => page.locator('.explain');
const frames = (page) => panel(page).getByRole('treeitem');
const frame = (page, name) => panel(page).locator('.frame').getByText(name, {exact: true});
const state = (page) => panel(page).locator('> [role=status]').textContent();
const focused = (page) => page.evaluate(() => document.activeElement.textContent);
const openFirst = (page) => page.locator('#table > tbody .name').first().click();
const press = (page) => panel(page).getByRole('button').click();
const widthOf = async (page, name) => Math.round((await frame(page, name).boundingBox()).width);

async function explained(page) {
  await filled(page);
  await openFirst(page);
  await press(page);
  await frames(page).first().waitFor();
}

// [name, depth, share in the label, width in pixels] of each frame that is drawn.
const drawn = (page) => frames(page).evaluateAll((nodes) => nodes.map((node) =>
  [node.textContent, Number(node.ariaLevel) - 1, node.ariaLabel.match(/, ([\d.]+ %|–) of the/)[1],
    node.getBoundingClientRect().width]));

async function testAsking(open, daemon, answer) {
  await test('explain: a process, a comm and a container, of which one is asked for', async () => {
    const {page, context, seen} = await open({}, '#limit=500');
    const asked = await intercept(page, {with: json(answer)});
    await filled(page);
    const {processes} = await daemon.get('api/v1/processes?comm=postgres');
    await page.locator('.name').getByText('postgres', {exact: true}).first().click();
    await panel(page).getByLabel('Sample for').selectOption('5 s');
    await press(page);
    await frames(page).first().waitFor();
    for (const [view, name, selector] of [['Comms', 'build-farm', {comm: 'build-farm'}],
      ['Containers', 'ssh.service', {cgroup: '/system.slice/ssh.service'}]]) {
      await page.getByLabel(view, {exact: true}).check();
      const opener = page.getByRole('button', {name: `Details of ${name}`, exact: true});
      await opener.click();
      same(await opener.getAttribute('aria-expanded'), 'true');
      await press(page);
      await frames(page).first().waitFor();
      same(asked.at(-1), {...selector, seconds: '10', limit: '1000'});
      await opener.click();
      same(await panel(page).count(), 0, 'closed');
    }
    same(await page.getByRole('button', {name: 'Details of id:4711'}).count(), 0, 'no path');
    await page.getByLabel('Groups', {exact: true}).check();
    await page.locator('#table thead [data-column="group"]').waitFor();
    same(await page.getByRole('button', {name: /^Details of/}).count(), 0, 'groups of rules');
    same(asked[0], {pid: String(processes[0].pid), seconds: '5', limit: '1000'});
    same(seen.errors, []);
    await context.close();
  });

  await test('explain: the daemon itself answers', async () => {
    const {page, context} = await open();
    await filled(page);
    await openFirst(page);
    await panel(page).getByLabel('Sample for').selectOption('5 s');
    await press(page);
    await until('an answer, or why there is none', async () =>
      await panel(page).getByRole('button').textContent() !== 'Cancel', 60);
    // The process is one of the table alone.
    const said = await state(page);
    same(said.startsWith('Sampled until ') || /^(?!The daemon has not answered).+\.$/.test(said), true, said);
    await context.close();
  });
}

async function testWaiting(open, answer, picture) {
  await test('explain: progress, and the user can cancel', async () => {
    const {page, context, seen} = await open();
    let release;
    const reply = {with: json(answer), until: new Promise((resolve) => { release = resolve; })};
    await intercept(page, reply);
    await filled(page);
    await openFirst(page);
    const button = panel(page).getByRole('button');
    await button.focus();
    await page.keyboard.press('Enter');
    same(await state(page), 'Sampling for 10 s.');
    const progress = panel(page).getByRole('progressbar');
    await until('progress', () => progress.evaluate(({value, max}) => value > 0.5 && max === 10));
    same(await panel(page).getByLabel('Sample for').isDisabled(), true);
    await picture(page, 'explain-waits');
    await accessible(page);
    same(await focused(page), 'Cancel');
    await page.keyboard.press('Enter');
    await until('cancelled', async () => await state(page) === 'Cancelled.');
    same(await progress.isVisible(), false);
    same(await focused(page), 'Explain');
    release();
    await page.waitForTimeout(300);
    same(await frames(page).count(), 0, 'an answer that comes too late');
    await page.keyboard.press('Enter');
    await frames(page).first().waitFor();
    same((await state(page)).startsWith('Sampled until '), true);
    same(await focused(page), 'Explain again');
    same(seen.errors, []);
    await context.close();
  });

  await test('explain: says why there is no answer', async () => {
    const {page, context, seen} = await open();
    const reply = {};
    await intercept(page, reply);
    await filled(page);
    await openFirst(page);
    for (const [response, said] of [
      [json({error: 'only requests of this machine are answered'}, 403),
        'Only requests of this machine are answered.'],
      [json({error: 'others ask: 2 explanations are made at once'}, 503),
        'Others ask: 2 explanations are made at once.'],
      [json({error: HOSTILE}, 400), `${HOSTILE}.`],
      [{status: 502, contentType: 'text/html', body: '<p>proxy'}, 'The daemon has not answered.'],
      [null, 'The daemon has not answered.']]) {
      reply.with = response;
      await press(page);
      await until(said, async () => await state(page) === said);
      same(await panel(page).locator('[data-level=bad]').count(), 1);
    }
    same(await page.locator('main img').count(), 0);
    reply.with = json(answer);
    await press(page);
    await frames(page).first().waitFor();
    same(await panel(page).locator('[data-level=bad]').count(), 0);
    same(seen.errors, []);
    await context.close();
  });

  await test('explain: what was asked for stays on the page', async () => {
    const {page, context} = await open();
    await intercept(page, {with: json(answer)});
    await filled(page);
    const name = page.locator('#table > tbody .name').nth(14);
    const shown = await name.textContent();
    await name.click();
    await press(page);
    await frames(page).first().waitFor();
    await page.getByLabel('Rows').selectOption('10');
    await until('11 rows', async () => await rows(page).count() === 11);
    same((await names(page)).at(-1), shown);
    same(await page.locator('.left:visible').allTextContents(), [' not in the list now']);
    same(await frames(page).count() > 5, true, 'frames');
    await page.locator('#table > tbody .name').last().click();
    await until('10 rows', async () => await rows(page).count() === 10);
    await context.close();
  });
}

async function testGraph(open, answer, picture) {
  const {page, context, seen} = await open();
  await intercept(page, {with: json(answer)});
  await explained(page);

  await test('explain: sums, notes and files', async () => {
    same(await panel(page).locator('.explanation > p').allTextContents(), [
      '187,999 faults, 4,710 of them major, in 10 s, 4.1 s stalled.',
      "1,916 samples by the module's trace event; the sums are those of the module's counters.",
      'A share of 50 % is certain to 2.2 %.', '12 records were lost: the buffers were full.']);
    const files = panel(page).locator('.mappings tbody');
    const texts = await files.locator('tr').evaluateAll((list) => list.map((row) =>
      [...row.cells].map(({textContent}) => textContent)));
    same(texts.length, 12);
    same(texts[0], ['/var/lib/postgresql/15/main/base/16384/24591', '44.7 %', '84,100', '4,100', '2.9 s']);
    same(texts.slice(10).map(([name, , faults]) => `${name} ${faults}`), ['[3 more] 570', '[not sampled] 2,100']);
    const [first, second] = await files.locator('.bar').evaluateAll((bars) =>
      bars.map((bar) => bar.getBoundingClientRect().width / bar.parentNode.clientWidth));
    same([first, second].map((share) => share.toFixed(2)), ['0.45', '0.33']);
    await picture(page, 'explain');
    await accessible(page);
  });

  await test('explain: the frames are as wide as their shares', async () => {
    const list = await drawn(page);
    same(list[0].slice(0, 3), ['all', 0, '100 %']);
    const whole = list[0][3];
    for (const [name, , share, width] of list)
      same(Math.abs(100 * width / whole - parseFloat(share)) < 0.6, true, `${name}: ${share}, ${width}`);
    same(Math.round(list.filter(([, depth]) => depth === 1)
      .reduce((all, [, , , width]) => all + width, 0)), Math.round(whole));
  });

  await test('explain: a click widens a function, Escape shows all', async () => {
    const before = await widthOf(page, 'ExecHashJoin');
    await frame(page, 'ExecHashJoin').click();
    same(await widthOf(page, 'ExecHashJoin'), await widthOf(page, 'all'));
    same(await frame(page, 'ExecScan').count(), 0, 'a frame beside it');
    same(await focused(page), 'ExecHashJoin');
    same(await frame(page, 'ExecHashJoin').getAttribute('aria-current'), 'true');
    await page.keyboard.press('Escape');
    same(await widthOf(page, 'ExecHashJoin'), before);
    same(await focused(page), 'all');
  });

  await test('explain: the graph by keyboard', async () => {
    same(await panel(page).locator('[role=treeitem][tabindex="0"]').count(), 1, 'stops of Tab');
    for (const [key, name] of [['ArrowUp', 'all'], ['ArrowDown', '_start'], ['ArrowRight', '[not sampled]'],
      ['ArrowLeft', '_start'], ['ArrowDown', '__libc_start_main'], ['Home', 'all'], ['ArrowDown', '_start'],
      ['ArrowDown', '__libc_start_main'], ['ArrowDown', 'main'], ['ArrowUp', '__libc_start_main']]) {
      await page.keyboard.press(key);
      same(await focused(page), name, key);
      same(await panel(page).locator('.about').textContent(),
        await page.evaluate(() => document.activeElement.title));
    }
    await page.keyboard.press('Enter');
    same(await widthOf(page, '__libc_start_main'), await widthOf(page, 'all'));
    await page.keyboard.press('Shift+Tab');
    same(await page.evaluate(() => document.activeElement.type), 'search');
    await page.keyboard.press('Tab');
    same(await focused(page), '__libc_start_main');
    await page.keyboard.press('Escape');
  });

  await test('explain: finds functions, and says what they have', async () => {
    const search = panel(page).getByLabel('Find functions');
    const said = panel(page).locator('figure [role=status]');
    await search.fill('EXECHASHT');
    same(await panel(page).locator('.found').allTextContents(), ['ExecHashTableInsert']);
    same(await said.textContent(), '32.6 % of the faults');
    await accessible(page);
    await search.fill('(');
    same(await said.textContent(), 'No function has this in its name');
    await search.fill('');
    same(await said.textContent(), '');
    same(await panel(page).locator('.found').count(), 0);
  });

  await test('explain: by stall', async () => {
    await panel(page).getByLabel('By stall').check();
    same(await frame(page, 'ExecScan').getAttribute('title'),
      'ExecScan: 84,100 faults, 2.9 s stalled, 71 % of the stall');
    same(Math.round(100 * await widthOf(page, 'ExecScan') / await widthOf(page, 'all')), 71);
    same(await panel(page).locator('.mappings tbody td').first().textContent(), '71 %');
    same(await panel(page).locator('.mappings tbody th').nth(1).textContent(),
      '/var/lib/postgresql/15/main/base/pgsql_tmp/pgsql_tmp4711.3');
    await picture(page, 'explain-stall');
    await panel(page).getByLabel('By faults').check();
  });

  await test('explain: the table has the frames of the graph', async () => {
    const table = panel(page).locator('details tbody tr');
    same(await table.count(), 0, 'rows while it is closed');
    await panel(page).getByText('The graph as a table').click();
    const equal = async () => {
      const list = await table.evaluateAll((all) => all.map(({cells}) =>
        [cells[1].textContent, Number(cells[0].textContent), cells[2].textContent]));
      same(list, (await drawn(page)).map((box) => box.slice(0, 3)));
    };
    await until('rows', () => table.count());
    await equal();
    await frame(page, 'ExecAgg').click();
    await equal();
    await page.keyboard.press('Escape');
    await accessible(page);
    await panel(page).getByText('The graph as a table').click();
  });

  await test('explain: names are text', async () => {
    same(await frame(page, HOSTILE).count(), 1);
    same(await frame(page, '\ufffddrawkcab\u240ax').count(), 1);
    same(await panel(page).locator('.mappings').getByText(`/home/a/${HOSTILE}`).count(), 1);
    same(await page.locator('main img, main script, main [onmouseover]').count(), 0);
    same(await page.evaluate(() => typeof window.hacked), 'undefined');
    same(await page.evaluate(() => window.violations), []);
    same(seen.foreign, []);
    same(seen.errors, []);
  });
  await context.close();
}

async function testForms(open, answer, picture) {
  await test('explain: estimates have no stall', async () => {
    const {page, context} = await open();
    const plain = (sum) => Object.fromEntries(Object.entries(sum).filter(([key]) => key !== 'stall_seconds'));
    await intercept(page, {with: json({...plain(answer), exact: false, source: 'kernel',
      not_sampled: plain(answer.not_sampled), mappings: answer.mappings.map(plain),
      stacks: answer.stacks.map(plain)})});
    await explained(page);
    same(await panel(page).getByLabel('By stall').count(), 0);
    same((await panel(page).textContent()).includes('stalled'), false);
    same((await panel(page).textContent()).includes('the sums are estimates'), true);
    same(await panel(page).locator('.mappings thead th').count(), 4);
    await context.close();
  });

  await test('explain: nothing was sampled', async () => {
    const {page, context} = await open();
    const none = {faults: 0, major: 0, stall_seconds: 0};
    const {share_error: error, ...rest} = answer;
    await intercept(page, {with: json({...rest, ...none, samples: 0, lost: 0, notes: [],
      not_sampled: none, mappings: [], stacks: []})});
    await filled(page);
    await openFirst(page);
    await press(page);
    await until('the sums', () => panel(page).getByText('0 faults, 0 of them major').count());
    same(await frames(page).count(), 0);
    same(await panel(page).textContent().then((text) => text.includes('NaN')), false, `${error}`);
    await context.close();
  });

  await test('explain: dark', async () => {
    const {page, context} = await open({colorScheme: 'dark'});
    await intercept(page, {with: json(answer)});
    await explained(page);
    await panel(page).getByLabel('Find functions').fill('hash');
    await frame(page, 'exec_simple_query').first().click();
    await accessible(page);
    await picture(page, 'explain-dark');
    await context.close();
  });

  for (const width of [390, 320]) {
    await test(`explain: ${width} pixels wide: no scrolling sideways`, async () => {
      const {page, context} = await open({viewport: {width, height: 780}, isMobile: true,
        hasTouch: true, deviceScaleFactor: 2});
      await intercept(page, {with: json(answer)});
      await explained(page);
      await panel(page).getByText('The graph as a table').click();
      same(await overflow(page), 0);
      await accessible(page);
      await panel(page).screenshot({path: picture.path(`explain-${width}`)});
      await context.close();
    });
  }
}

export async function testExplain(open, daemon, fixture, picture) {
  const answer = JSON.parse(readFileSync(fixture, 'utf8'));
  const {page, context} = await open();
  await testFrames(page, answer);
  await context.close();
  await testAsking(open, daemon, answer);
  await testWaiting(open, answer, picture);
  await testGraph(open, answer, picture);
  await testForms(open, answer, picture);
}

export async function testWithoutProfile(open, plain) {
  await test('explain: without --profile the page says so', async () => {
    const {page, context, seen} = await open({}, '', plain);
    await filled(page);
    await openFirst(page);
    await until('the sentence', async () => (await state(page)).includes('without --profile'));
    same(await panel(page).getByRole('button').count(), 0);
    await page.getByLabel('Comms', {exact: true}).check();
    await page.locator('#table thead [data-column="processes"]').waitFor();
    await filled(page);
    same(await page.getByRole('button', {name: /^Details of/}).count(), 0);
    same(seen.errors, []);
    await context.close();
  });
}
