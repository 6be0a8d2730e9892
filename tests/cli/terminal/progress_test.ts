import { rejects, strictEqual } from "node:assert";
import { runPhase } from "../../../lib/cli/terminal/progress.ts";
import { fakeIo } from "../../support/fake_io.ts";

Deno.test("runPhase() writes a line at the start and one at the end when there is no terminal", async () => {
  const io = fakeIo();
  await runPhase(io, "1 of 2", (phase) => {
    phase.at("5 rows", 0.5);
    return Promise.resolve({ words: "9 rows" });
  });
  strictEqual(io.written.err, "1 of 2…\n1 of 2: 9 rows\n");
});

Deno.test("runPhase() draws one line anew when there is a terminal", async () => {
  const io = { ...fakeIo(), terminal: true };
  await runPhase(io, "1 of 2", (phase) => {
    phase.at("5 rows", 0.559);
    // Too soon after the last one to be read.
    phase.at("6 rows", 0.6);
    return Promise.resolve({ words: "9 rows" });
  });
  strictEqual(io.written.err, "1 of 2\r\x1b[2K1 of 2: 55 %, 5 rows\r\x1b[2K1 of 2: 9 rows\n");
});

Deno.test("runPhase() leaves an empty line on the terminal when the work fails", async () => {
  const io = { ...fakeIo(), terminal: true };
  await rejects(() => runPhase(io, "1 of 2", () => Promise.reject(new RangeError("no"))));
  strictEqual(io.written.err, "1 of 2\r\x1b[2K");
});
