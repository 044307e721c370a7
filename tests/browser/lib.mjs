// SPDX-License-Identifier: Apache-2.0
// How a test says its result, and what is seen on a page.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function test(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAIL ${name}: ${String(error.message).replace(/\s+/g, ' ').slice(0, 500)}`);
  }
}

export function same(got, wanted, what = '') {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what} ${a} is not ${b}`);
}

// Waits until it returns something true, and returns that.
export async function until(what, question, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export const rows = (page) => page.locator('#table > tbody > tr:not(.more)');
export const names = (page) => page.locator('#table tbody bdi').allTextContents();
export const badge = (page) => page.locator('#state').textContent();
export const cells = (page, column) => page.locator(`#table td[data-column="${column}"] .number`).allTextContents();
export const filled = (page) => until('rows', async () => await rows(page).count() > 5);
export const overflow = (page) => page.evaluate(() =>
  document.documentElement.scrollWidth - document.documentElement.clientWidth);

export async function problem(page, text) {
  const said = await page.locator('#problems').textContent();
  if (!said.includes(text)) throw new Error(`"${text}" is not in "${said}"`);
}

export async function accessible(page) {
  await page.evaluate(axe);
  const {violations} = await page.evaluate(() => window.axe.run(document,
    {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}));
  same(violations.map(({id, nodes}) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`), []);
}
