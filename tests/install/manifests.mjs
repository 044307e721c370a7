// SPDX-License-Identifier: Apache-2.0
// Reads `kubectl kustomize`'s output from stdin; validates each manifest by its
// schema, and writes a TypeScript file that only compiles if the types fit.
// usage: node manifests.mjs OUT.ts     (from a copy beside the node_modules)
import { readFileSync, writeFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

function packageOf(apiVersion) {
  if (apiVersion.startsWith("monitoring.coreos.com/"))
    return `@kubernetes-models/prometheus-operator/${apiVersion}`;
  return `kubernetes-models/${apiVersion}`;
}

const lines = [];
let failed = false;
for (const document of parseAllDocuments(readFileSync(0, "utf8"))) {
  const manifest = document.toJS();
  const { apiVersion, kind, metadata } = manifest;
  const module = `${packageOf(apiVersion)}/${kind}`;
  try {
    new (await import(module))[kind](manifest).validate();
  } catch (error) {
    console.error(`${kind} ${metadata.name}: ${error.message}`);
    failed = true;
  }
  const n = lines.length;
  lines.push(`import type { I${kind} as T${n} } from "${module}";
export const m${n} = ${JSON.stringify(manifest)} satisfies T${n};`);
}
writeFileSync(process.argv[2], lines.join("\n"));
console.log(`${lines.length} manifests`);
process.exit(failed || lines.length === 0 ? 1 : 0);
