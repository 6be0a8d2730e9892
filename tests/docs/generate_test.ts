import { strictEqual } from "node:assert";
import { settingsUrl, withGeneratedParts } from "./generate.ts";

/** The formatter aligns tables, so white space and dashes do not count. */
const squeeze = (text: string) => text.replaceAll(/[ -]+/g, " ");

Deno.test("docs/settings.md has the generated table (if not, run `deno task docs`)", async () => {
  const page = await Deno.readTextFile(settingsUrl);
  strictEqual(squeeze(page), squeeze(withGeneratedParts(page)));
});
