import { strictEqual } from "node:assert";
import { AmzTimeFormatter, correctClock } from "../../../lib/queue/sqs/clock_skew.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const MINUTE = 60_000;

function corrected(systemClockOffset: number, date: string | undefined): number {
  const clock = { systemClockOffset };
  correctClock(clock, date, NOW);
  return clock.systemClockOffset;
}

function dateAt(offset: number): string {
  return new Date(NOW + offset).toUTCString();
}

Deno.test("correctClock() uses the answer's time when our clock is far from it", () => {
  strictEqual(corrected(0, dateAt(10 * MINUTE)), 10 * MINUTE);
  strictEqual(corrected(0, dateAt(-10 * MINUTE)), -10 * MINUTE);
});

Deno.test("correctClock() removes the correction when our clock was set right meanwhile", () => {
  strictEqual(corrected(10 * MINUTE, dateAt(0)), 0);
});

Deno.test("correctClock() changes nothing when our clock is near", () => {
  strictEqual(corrected(0, dateAt(3 * MINUTE)), 0);
  strictEqual(corrected(10 * MINUTE, dateAt(9 * MINUTE)), 10 * MINUTE);
});

Deno.test("correctClock() changes nothing when the answer has no date or an invalid one", () => {
  strictEqual(corrected(7, undefined), 7);
  strictEqual(corrected(7, "yesterday"), 7);
});

Deno.test("AmzTimeFormatter writes the service's time to the second", () => {
  const time = new AmzTimeFormatter();
  strictEqual(time.format({ systemClockOffset: 0 }, NOW), "20260102T030405Z");
  strictEqual(time.format({ systemClockOffset: 0 }, NOW + 999), "20260102T030405Z");
  strictEqual(time.format({ systemClockOffset: 0 }, NOW + 1_000), "20260102T030406Z");
  strictEqual(time.format({ systemClockOffset: -10 * MINUTE }, NOW + 1_000), "20260102T025406Z");
});
