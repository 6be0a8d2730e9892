import { deepStrictEqual, ok } from "node:assert";
import { glob, readFile } from "node:fs/promises";

/** Finds circles: for each import that leads back to a file on the way, the files from there on. */
function findCircles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const index = way.indexOf(file);
    if (index >= 0) circles.push(way.slice(index));
    if (index >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return circles;
}

const root = new URL("../../", import.meta.url);

/** Reads which files of this repository a file imports, statically or when it is needed. */
async function readImports(path: string): Promise<string[]> {
  const source = await readFile(new URL(path, root), "utf8");
  const specifiers = source.matchAll(/(?:\bfrom|\bimport\(?)\s*"(\.{1,2}\/[^"]+)"/g);
  return [...specifiers].map(([, specifier = ""]) =>
    new URL(specifier, new URL(path, root)).pathname.slice(root.pathname.length)
  );
}

Deno.test("lib has no circle of imports when types and imports on demand count too", async () => {
  const imports = new Map<string, string[]>([["main.ts", await readImports("main.ts")]]);
  for await (const path of glob("lib/**/*.ts", { cwd: root })) {
    imports.set(path, await readImports(path));
  }
  ok(imports.size > 100);
  ok(imports.get("main.ts")?.includes("lib/cli/main.ts"));
  deepStrictEqual(findCircles(imports), []);
});

Deno.test("findCircles() returns the files of a circle when one is there", () => {
  const imports = new Map([
    ["a", ["b"]],
    ["b", ["c", "d"]],
    ["c", ["d"]],
    ["d", ["b"]],
    ["e", ["e"]],
  ]);
  deepStrictEqual(findCircles(imports), [["b", "c", "d"], ["e"]]);
});
