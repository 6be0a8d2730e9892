import { deepStrictEqual, ok } from "node:assert";
import config from "../../deno.json" with { type: "json" };
import { commands } from "../../lib/cli/commands.ts";
import { readPage, readPages } from "./pages.ts";

const { text: readme } = await readPage("README.md");

/** A README is read in one sitting. Longer texts belong in docs/. */
const MAX_LINES = 200;

Deno.test("README.md has at most 200 lines", () => {
  const lines = readme.trimEnd().split("\n").length;
  ok(lines <= MAX_LINES, `${lines} lines: move details to docs/`);
});

Deno.test("README.md shows only headings that the demo prints", async () => {
  const [, output = ""] = /^```text\n([\s\S]*?)^```/m.exec(readme) ?? [];
  const headings = output.split("\n").filter((line) => /^[A-Z]/.test(line));
  const { text: demo } = await readPage("lib/cli/demo.ts");
  ok(headings.length > 0);
  deepStrictEqual(headings.filter((heading) => !demo.includes(`\\n${heading}\\n`)), []);
});

Deno.test("docs/operations.md names every command", async () => {
  const { text } = await readPage("docs/operations.md");
  for (const name of Object.keys(commands)) ok(text.includes(`| \`${name}`), name);
});

Deno.test("the documentation has a table row for every dependency", async () => {
  const rows = (await readPages()).flatMap(({ text }) => text.split("\n"))
    .filter((line) => /^\| `.+\|.+\|$/.test(line));
  const unnamed = Object.keys(config.imports).filter((name) =>
    !rows.some((row) => row.includes(`\`${name}\``))
  );
  deepStrictEqual(unnamed, []);
});
