import type { Column } from "../../lib/contract/contract.ts";
import { decode, type Event, type Rejection } from "../../lib/contract/decode.ts";
import { login } from "../../lib/contract/login.ts";
import { reasons } from "../../lib/contract/reasons.ts";
import { badBodies, sendable } from "./bad_bodies.ts";
import { createLine, type Line } from "./line.ts";
import type { PostgresServer } from "./postgres_server.ts";
import type { QueueServer } from "./queue_server.ts";

/** The outcomes of bodies. */
export interface BodyFigures {
  readonly messages: number;
  /** Those that were rejected. */
  readonly bad: number;
  /** Those that became neither an event nor a rejection, or not the expected one. */
  readonly lost: number;
  readonly doubled: number;
  readonly seconds: number;
}

/** Decodes generated bodies, and checks that each becomes a valid event or a valid rejection. */
export function decodeBodies(count: number, seed: number): BodyFigures {
  const startedAt = performance.now();
  let bad = 0;
  let lost = 0;
  for (const body of badBodies(count, seed)) {
    const verdict = verdictOn(body);
    if (!verdict || !isSound(verdict)) lost++;
    else if (verdict.kind === "rejection") bad++;
  }
  return { messages: count, bad, lost, doubled: 0, seconds: secondsSince(startedAt) };
}

/** Options of {@linkcode drainBodies}. */
export interface DrainBodiesOptions {
  readonly postgres: PostgresServer;
  readonly queues: QueueServer;
  readonly count: number;
  readonly seed: number;
}

/**
 * Sends generated bodies through `maskline drain`, and compares each row and each rejection with the
 * contract's verdict on its body.
 */
export async function drainBodies(options: DrainBodiesOptions): Promise<BodyFigures> {
  const { postgres, queues, count, seed } = options;
  const startedAt = performance.now();
  await using line = await createLine({ postgres, queues });
  const bodies = Array.from(badBodies(count, seed), sendable);
  const ids = await line.queue.send(bodies);
  const { code, books, err } = await line.drain();
  if (code !== 0) throw new Error(`drain ended with ${code}:\n${err}`);
  const verdicts = bodies.map(verdictOn);
  const expected = verdicts.map((verdict, index) => outcomeOf(verdict, ids[index] ?? ""));
  const found = await outcomesIn(line);
  const bad = verdicts.filter((verdict) => verdict?.kind === "rejection").length;
  const isBooked = books.received === count && books.rejected === bad &&
    books.committed === count - bad;
  if (!isBooked) {
    throw new Error(`Expected ${count} received and ${bad} rejected, got ${JSON.stringify(books)}`);
  }
  return {
    messages: count,
    bad,
    lost: countMissing(expected, found),
    doubled: countMissing(found, expected),
    seconds: secondsSince(startedAt),
  };
}

/** Decodes a body. Returns undefined if that throws, which it must not. */
function verdictOn(body: string): Event | Rejection | undefined {
  try {
    return decode(login, body);
  } catch {
    return undefined;
  }
}

function isSound(verdict: Event | Rejection): boolean {
  if (verdict.kind === "rejection") {
    const isField = verdict.field === null ||
      login.fields.some(({ name }) => name === verdict.field);
    return Object.hasOwn(reasons, verdict.reason) && isField;
  }
  return verdict.values.length === login.fields.length &&
    login.fields.every(({ column, optional }, index) =>
      fits(verdict.values[index], column, optional)
    );
}

/** Whether Postgres can store the value in the column. */
function fits(value: unknown, { type }: Column, optional = false): boolean {
  if (value === null) return optional;
  if (type === "integer") return Number.isInteger(value) && Number(value) < 2 ** 31;
  const most = Number(/^varchar\((\d+)\)$/.exec(type)?.[1]);
  return typeof value === "string" && [...value].length <= most && !value.includes("\0") &&
    value.isWellFormed();
}

/** Formats a verdict like the row or the rejection in the database. Leaves out the masks. */
function outcomeOf(verdict: Event | Rejection | undefined, id: string): string {
  if (!verdict) return "neither";
  if (verdict.kind === "rejection") return JSON.stringify([id, verdict.reason, verdict.field]);
  return JSON.stringify(verdict.values.filter((_, index) => !login.fields[index]?.personal));
}

async function outcomesIn(line: Line): Promise<string[]> {
  const rows = await line.database.query<Record<string, unknown>>(
    "SELECT user_id, device_type, locale, app_version FROM user_logins",
  );
  const rejections = await line.database.query<Record<string, unknown>>(
    "SELECT message_id, reason, field FROM maskline.rejected",
  );
  return [...rows, ...rejections].map((row) => JSON.stringify(Object.values(row)));
}

/** Counts the texts in `expected` that are not in `found`, where a text can be in both several times. */
function countMissing(expected: readonly string[], found: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const text of found) counts.set(text, (counts.get(text) ?? 0) + 1);
  let missing = 0;
  for (const text of expected) {
    const count = counts.get(text) ?? 0;
    if (count === 0) missing++;
    counts.set(text, count - 1);
  }
  return missing;
}

function secondsSince(startedAt: number): number {
  return Math.round((performance.now() - startedAt) / 100) / 10;
}
