import { match, ok, strictEqual } from "node:assert";
import type { FragileLine } from "./fragile_line.ts";
import type { MasklineProcess } from "./maskline.ts";
import { until } from "./progress.ts";

/**
 * How often the store may be tried in an outage of {@linkcode linger}. A guess, far above the six tries
 * of a back-off that begins with 0.05 s on the average, and far below a busy loop, which makes hundreds.
 */
export const MOST_TRIES = 25;

/** Lets an outage last: whether the worker hurries meanwhile can be told by nothing but time. */
export function linger(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2_000));
}

/**
 * Runs PL/pgSQL with each insert into the table, with its owner's rights; what it does there is rolled
 * back with it.
 */
export async function onInsert(line: FragileLine, statement: string): Promise<void> {
  await line.database.query(
    `CREATE FUNCTION happen() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN ${statement}; RETURN NULL; END $$`,
  );
  await line.database.query(
    "CREATE TRIGGER happen AFTER INSERT ON user_logins EXECUTE FUNCTION happen()",
  );
}

/** A gate before every commit of a line, which is open at first. */
export interface CommitGate {
  /** From now on commits stay under way until {@linkcode open}, or until they are interrupted. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** Puts a gate before the commits of a line, so that a test can act while one is under way. */
export async function createCommitGate(line: FragileLine): Promise<CommitGate> {
  await line.database.query("CREATE TABLE gate AS SELECT false AS closed");
  await onInsert(line, "WHILE (SELECT closed FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP");
  const set = async (closed: boolean) => {
    await line.database.query("UPDATE gate SET closed = $1", [closed]);
  };
  return { close: () => set(true), open: () => set(false) };
}

/** Waits until a commit stands before the closed gate. */
export async function untilCommitting(line: FragileLine): Promise<void> {
  const sleeping = `SELECT FROM pg_stat_activity
    WHERE wait_event = 'PgSleep' AND datname = current_database()`;
  await until(() => line.database.query(sleeping), (rows) => rows.length > 0);
}

/** Cuts all connections to the line's database but the one that asks. */
export async function terminate(line: FragileLine): Promise<void> {
  await line.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

/** Waits until the worker has said so many times that the store is away. */
export async function untilAway(worker: MasklineProcess, times: number): Promise<void> {
  await until(async () => timesAway(worker), (count) => count >= times);
}

/** The worker said when the store went and when it was back, and tried again at a measured pace. */
export function expectPatience(worker: MasklineProcess, code: RegExp, outages = 1): void {
  const err = worker.err();
  match(err, new RegExp(`The store is unavailable \\((?:${code.source})\\)`));
  const tries = [...err.matchAll(/The store has recovered after [\d.]+ s and (\d+) attempts/g)]
    .map(([, count]) => Number(count));
  ok(tries.length >= 1, err);
  strictEqual(tries.length, timesAway(worker), err);
  ok(tries.every((count) => count <= MOST_TRIES), `Tries: ${tries}`);
  // Two for each outage, and some that every run has. Each bad message and each other code is worth a line too.
  const lines = err.split("\n")
    .filter((line) => line && !/was rejected|still unavailable/.test(line)).length;
  ok(lines <= 2 * outages + 10, `${lines} lines:\n${err}`);
  const changes = err.match(/still unavailable/g)?.length ?? 0;
  // The committers report one each besides the probes.
  const most = tries.reduce((sum, count) => sum + count, 2 * outages);
  ok(changes <= most, `${changes} changes:\n${err}`);
}

function timesAway(worker: MasklineProcess): number {
  return worker.err().match(/The store is unavailable/g)?.length ?? 0;
}
