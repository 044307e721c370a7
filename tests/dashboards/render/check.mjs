// SPDX-License-Identifier: Apache-2.0
// Checks the dashboards against the types of @grafana/schema. An option of a
// panel or a variable that Grafana does not know is most likely a mistake.
import {execFileSync} from 'node:child_process';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const [dashboards] = process.argv.slice(2);
const types = '../node_modules/@grafana/schema/dist/types/raw';
// JSON has strings where the types have enums, and leaves out what has a default.
const HEAD = `
import type {Dashboard} from '${types}/dashboard/x/types.gen';
${['stat', 'heatmap', 'table', 'timeseries'].map((kind) =>
    `import type * as ${kind} from '${types}/composable/${kind}/panelcfg/x/types.gen';`)
    .join('\n')}
type Plain<T> = T extends string ? \`\${T}\`
  : T extends number ? (\`\${T}\` extends \`\${infer N extends number}\` ? N : T)
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? {[K in keyof T]?: Plain<T[K]>} : T;
`;
// Keys of the data source, which the schema does not define.
const ANNOTATION = ['expr', 'step', 'tagKeys', 'textFormat', 'titleFormat', 'useValueForTime'];

function source(board) {
  for (const annotation of board.annotations.list) {
    for (const key of ANNOTATION) delete annotation[key];
  }
  const checks = [`${JSON.stringify(board)} satisfies Plain<Dashboard>`];
  for (const {type, options, fieldConfig} of board.panels) {
    if (type === 'row') continue;
    checks.push(`${JSON.stringify(options)} satisfies Plain<${type}.Options>`);
    const {custom} = fieldConfig.defaults;
    if (custom) checks.push(`${JSON.stringify(custom)} satisfies Plain<${type}.FieldConfig>`);
  }
  return HEAD + checks.map((check, i) => `export const x${i} = ${check};`).join('\n');
}

mkdirSync(join(here, 'check'));
const files = readdirSync(dashboards).filter((file) => file.endsWith('.json'));
const sources = files.map((file) => {
  const path = join(here, 'check', file.replace('.json', '.ts'));
  writeFileSync(path, source(JSON.parse(readFileSync(join(dashboards, file), 'utf8'))));
  return path;
});
execFileSync(join(here, 'node_modules/.bin/tsc'), ['--noEmit', '--strict', '--skipLibCheck',
  '--moduleResolution', 'bundler', '--module', 'esnext', '--target', 'es2022', ...sources],
{stdio: 'inherit'});
console.log(`${files.length} dashboards are of @grafana/schema's types`);
