// SPDX-License-Identifier: Apache-2.0
// Sends Prometheus all queries of a dashboard, and takes the picture of the
// page.
import {readdirSync, readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {chromium} from 'playwright-core';

const [prometheus, dashboards, out, range, theme] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const WIDTH = 1600;
const seconds = Number(range);
const step = Math.max(1, Math.round(seconds / 240));

// What Grafana puts for the variables, with All chosen.
function fill(expr, variables, scrape) {
  const rateInterval = Math.max(step + scrape, 4 * scrape);
  const filled = expr.replaceAll('$__rate_interval', `${rateInterval}s`)
    .replaceAll('$__range', `${seconds}s`);
  return variables.reduce((text, {name, allValue}) =>
    text.replaceAll(new RegExp(`\\$${name}\\b`, 'g'), allValue ?? '.+'), filled);
}

async function ask(path, query) {
  const url = `${prometheus}/api/v1/${path}?${new URLSearchParams(query)}`;
  const answer = await (await fetch(url)).json();
  if (answer.status !== 'success') throw new Error(`${url}: ${answer.error}`);
  return answer.data;
}

async function scrapeInterval() {
  const {yaml} = await ask('status/config', {});
  return parseInt(/scrape_interval: (\d+)s/.exec(yaml)?.[1] ?? '15', 10);
}

async function answers(board, end) {
  const scrape = await scrapeInterval();
  const result = {};
  for (const panel of board.panels) {
    for (const target of panel.targets ?? []) {
      const query = fill(target.expr, board.templating.list, scrape);
      result[`${panel.id} ${target.refId}`] = target.instant
        ? await ask('query', {query, time: end})
        : await ask('query_range', {query, start: end - seconds, end, step});
    }
  }
  return result;
}

const {outputFiles} = await build({
  entryPoints: [join(here, 'page.tsx')],
  bundle: true, write: false, minify: true, format: 'iife', jsx: 'automatic',
  define: {'process.env.NODE_ENV': '"production"', global: 'window'},
  loader: {'.svg': 'text', '.png': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl', '.css': 'css'},
  // In an .mjs file esbuild imports the default export of a CommonJS module as Node
  // does: it is the exports object, not the component. So Grafana's .cjs files are used.
  alias: Object.fromEntries(['data', 'schema', 'ui'].map((name) =>
    [`@grafana/${name}`, join(here, `node_modules/@grafana/${name}/dist/cjs/index.cjs`)])),
  logLevel: 'error', outdir: 'out',
});
const built = (kind) => outputFiles.find((file) => file.path.endsWith(kind)).text;
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
for (const file of readdirSync(dashboards).filter((f) => f.endsWith('.json'))) {
  const board = JSON.parse(readFileSync(join(dashboards, file), 'utf8'));
  const end = Math.floor(Date.now() / 1000);
  const data = await answers(board, end);
  const page = await browser.newPage({viewport: {width: WIDTH, height: 800}});
  page.on('pageerror', (error) => console.error(`${file}: ${error.stack}`));
  // Local storage needs an origin; nothing is asked of the network.
  await page.route('**', (route) => route.fulfill({contentType: 'text/html',
    body: '<!doctype html><html><body><div id="root"></div></body></html>'}));
  await page.goto('http://localhost/');
  await page.evaluate((input) => Object.assign(window, {input}),
    {board, data, from: end - seconds, to: end, width: WIDTH, theme});
  await page.addStyleTag({content: built('.css')});
  await page.addScriptTag({content: built('.js')});
  await page.waitForTimeout(3000);
  const name = basename(file, '.json');
  await page.screenshot({path: join(out, `${name}.png`), fullPage: true});
  console.log(`${name}.png`);
  await page.close();
}
await browser.close();
