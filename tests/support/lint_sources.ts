import { deepStrictEqual } from "node:assert";
import plugin from "../lint/house_rules.ts";

/** Fails if a house rule reports one of the sources. */
export function passes(file: string, ...sources: string[]): void {
  for (const source of sources) {
    deepStrictEqual(reportedRules(file, source), [], `${file}: ${source}`);
  }
}

/**
 * Fails unless this rule, and no other, reports each of the sources.
 *
 * @param rule without `house/`
 */
export function fails(rule: string, file: string, ...sources: string[]): void {
  for (const source of sources) {
    deepStrictEqual(reportedRules(file, source), [`house/${rule}`], `${file}: ${source}`);
  }
}

/** Creates an import of each kind. */
export function imports(specifier: string): string[] {
  const quoted = JSON.stringify(specifier);
  return [
    `import { a } from ${quoted};`,
    `import ${quoted};`,
    `import type { A } from ${quoted};`,
    `export { a } from ${quoted};`,
    `export type { A } from ${quoted};`,
    `export * from ${quoted};`,
    `await import(${quoted});`,
    `await import(\`${specifier}\`);`,
    `type A = import(${quoted}).A;`,
    `import a = require(${quoted});`,
  ];
}

/** Lists the ids of the rules that report the source, each once. */
function reportedRules(file: string, source: string): string[] {
  return [...new Set(Deno.lint.runPlugin(plugin, file, source).map(({ id }) => id))];
}
