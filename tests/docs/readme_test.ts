import { deepStrictEqual, ok, strictEqual } from "node:assert";
import config from "../../deno.json" with { type: "json" };
import { commands } from "../../lib/cli/commands.ts";
import { readmeUrl, withGeneratedParts } from "./readme.ts";

const readme = await Deno.readTextFile(readmeUrl);

/** Tables are aligned by the formatter, so white space does not count. */
const squeeze = (text: string) => text.replaceAll(/[ -]+/g, " ");

Deno.test("README has the settings' table when a setting is changed (else run `deno task docs`)", () => {
  strictEqual(squeeze(withGeneratedParts(readme)), squeeze(readme));
});

Deno.test("README names every command when one is added", () => {
  for (const name of Object.keys(commands)) ok(readme.includes(`| \`${name}`), name);
});

Deno.test("README gives a reason for every dependency when one is added", () => {
  const packages = Object.keys(config.imports);
  const unnamed = packages.filter((name) =>
    !readme.includes(`\`${name}\``) && !readme.includes(`\`${name.split("/").at(-1)}\``)
  );
  deepStrictEqual(unnamed, []);
});

Deno.test("README names only files that are there when it points to a test", async () => {
  for (const [path] of readme.matchAll(/[\w/]+\/\w+\.ts/g)) {
    const root = path.endsWith("_test.ts") ? "../" : "../../";
    ok(await Deno.stat(new URL(root + path, import.meta.url)), path);
  }
});
