// SPDX-License-Identifier: Apache-2.0
// Control groups and groups of rules on the page.
import {accessible, cells, names, rows, same, test, until} from './lib.mjs';
import {POD} from './table.mjs';

export async function testGroups(page, daemon, picture) {
  await test('containers, and from one to its processes', async () => {
    const name = 'shop/leaky-cache-0/cache';
    await page.getByLabel('Containers', {exact: true}).check();
    await until('the pod, a unit, one without a path', async () => {
      const there = await names(page);
      return [name, 'ssh.service', 'id:4711'].every((wanted) => there.includes(wanted));
    });
    await page.locator('#table thead').getByRole('button', {name: 'Container or unit'}).click();
    await until('by what is shown', async () => {
      const there = await names(page);
      return String(there) === String([...there].sort());
    });
    await picture(page, 'containers');
    await accessible(page);
    await page.getByLabel('Filter').fill('^leaky');
    await until('the pod by its name', async () => String(await names(page)) === name);
    const button = page.locator('#table tbody .name');
    same(await button.getAttribute('title'), POD);
    await button.focus();
    await page.keyboard.press('Enter');
    const {processes} = await daemon.get(`api/v1/processes?limit=1000&cgroup=${encodeURIComponent(POD)}`);
    same(processes.length > 3, true, 'processes');
    const its = async () => String((await cells(page, 'pid')).sort()) ===
      String(processes.map(({pid}) => String(pid)).sort());
    await until('its processes', its);
    const selection = page.locator('#selection');
    const said = async () =>
      (await selection.locator('span').first().innerText()).replace(/\s+/g, ' ');
    same(await said(), `Only the control group ${name}`);
    same(await page.locator(':focus').getAttribute('id'), 'processes');
    same(await page.getByLabel('Filter').inputValue(), '');
    await page.reload();
    await until('kept in the address', its);
    await until('its name', async () => await said() === `Only the control group ${name}`);
    await page.getByLabel('Filter').fill('^(?:build-farm|java)$');
    await until('a filter besides', async () => await rows(page).count() < processes.length);
    await accessible(page);
    await page.getByLabel('Filter').fill('');
    await until('its processes again', its);
    await page.getByRole('button', {name: 'Show all processes'}).focus();
    await page.keyboard.press('Enter');
    await until('all processes', async () => await rows(page).count() > processes.length);
    same(await selection.isVisible(), false);
    same(await page.locator(':focus').getAttribute('id'), 'processes');
    same(page.url().includes('cgroup'), false, page.url());
  });

  await test('groups, if there are rules, and from one to its processes', async () => {
    await page.getByLabel('Groups', {exact: true}).check();
    await page.locator('#table thead [data-column="group"]').waitFor();
    await page.getByRole('button', {name: 'build-farm'}).click();
    await until('its processes', async () => String(await names(page)) === String(Array(4).fill('build-farm')));
    same((await page.locator('#selection').innerText()).includes('Only the group build-farm'), true);
    await page.getByLabel('Comms', {exact: true}).check();
    await until('all comms', async () => await rows(page).count() > 4);
    same(await page.locator('#selection').isVisible(), false);
    same(page.url().includes('group'), false, page.url());
    await page.getByLabel('Processes', {exact: true}).check();
  });
}
