import { deepStrictEqual } from "node:assert";
import plugin from "../lint/house_rules.ts";

/** Fails unless no rule of the house objects to any of the sources. */
export function passes(file: string, ...sources: string[]): void {
  for (const source of sources) deepStrictEqual(objections(file, source), [], `${file}: ${source}`);
}

/**
 * Fails unless this rule, and no other, objects to each of the sources.
 *
 * @param rule without `house/`
 */
export function fails(rule: string, file: string, ...sources: string[]): void {
  for (const source of sources) {
    deepStrictEqual(objections(file, source), [`house/${rule}`], `${file}: ${source}`);
  }
}

/** An import of each kind. */
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

/** The ids of the rules that object to the source, each once. */
function objections(file: string, source: string): string[] {
  return [...new Set(Deno.lint.runPlugin(plugin, file, source).map(({ id }) => id))];
}
