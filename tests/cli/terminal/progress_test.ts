import { strictEqual } from "node:assert";
import { startProgress } from "../../../lib/cli/terminal/progress.ts";
import { fakeIo } from "../../support/fake_io.ts";

Deno.test("startProgress() writes a line at the start and one at the end when there is no terminal", () => {
  const io = fakeIo();
  const progress = startProgress(io, "1 of 2");
  progress.update("5 rows", 0.5);
  progress.end("9 rows");
  progress.stop();
  strictEqual(io.written.err, "1 of 2…\n1 of 2: 9 rows\n");
});

Deno.test("startProgress() redraws one line when there is a terminal", () => {
  const io = { ...fakeIo(), isTerminal: true };
  const progress = startProgress(io, "1 of 2");
  progress.update("5 rows", 0.559);
  // Too soon after the last update.
  progress.update("6 rows", 0.6);
  progress.end("9 rows");
  progress.stop();
  strictEqual(io.written.err, "1 of 2\r\x1b[2K1 of 2: 55 %, 5 rows\r\x1b[2K1 of 2: 9 rows\n");
});

Deno.test("stop() clears the line on the terminal when the action fails", () => {
  const io = { ...fakeIo(), isTerminal: true };
  const progress = startProgress(io, "1 of 2");
  progress.stop();
  strictEqual(io.written.err, "1 of 2\r\x1b[2K");
});
