import { strictEqual } from "node:assert";
import config from "../../deno.json" with { type: "json" };
import { version } from "../../lib/cli/main.ts";

Deno.test("version equals that of deno.json when either is changed", () => {
  strictEqual(version, config.version);
});
