import { deepStrictEqual, ok } from "node:assert";
import { decodeBodies } from "../support/body_runs.ts";

/** The full run uses 200,000. */
const COUNT = Number(Deno.env.get("MASKLINE_TEST_DECODE_BODIES") ?? 5_000);

Deno.test("decode() returns a valid event or rejection for each body when they are generated", () => {
  const { messages, bad, lost } = decodeBodies(COUNT, 11);
  deepStrictEqual([messages, lost], [COUNT, 0]);
  // Both must be frequent, or the generator tests little.
  ok(bad > COUNT * 0.4 && bad < COUNT * 0.9, `${bad} of ${COUNT} were rejected`);
});
