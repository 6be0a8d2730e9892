import { deepStrictEqual, ok } from "node:assert";
import { decodeBodies } from "../support/body_runs.ts";

/** The full run takes 200,000. */
const COUNT = Number(Deno.env.get("MASKLINE_TEST_DECODE_BODIES") ?? 5_000);

Deno.test("decode() makes a sound event or a sound rejection of each body when they are generated", () => {
  const { messages, bad, lost } = decodeBodies(COUNT, 11);
  deepStrictEqual([messages, lost], [COUNT, 0]);
  // Both happen often, or the generator is worth nothing.
  ok(bad > COUNT * 0.4 && bad < COUNT * 0.9, `${bad} of ${COUNT} were rejected`);
});
