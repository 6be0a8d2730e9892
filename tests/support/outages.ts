import { match, ok, strictEqual } from "node:assert";
import type { FragileLine } from "./fragile_line.ts";
import type { MasklineProcess } from "./maskline.ts";
import { until } from "./progress.ts";

/**
 * The most attempts in an outage of {@linkcode linger}. An estimate, not measured: far above the six
 * attempts of a backoff that begins with an average of 0.05 s, and far below the hundreds of a busy loop.
 */
export const MAX_ATTEMPTS = 25;

/** Lets an outage last for two seconds, because only time shows whether the worker retries too fast. */
export function linger(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2_000));
}

/**
 * Runs PL/pgSQL with each insert into the table, with the rights of the table's owner. It is rolled back
 * with the insert.
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

/** A gate before every commit of a line. It is open at first. */
export interface CommitGate {
  /** Blocks all commits until {@linkcode open} is called, or until they are interrupted. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** Creates a gate before the commits of a line, so that a test can act during a commit. */
export async function createCommitGate(line: FragileLine): Promise<CommitGate> {
  await line.database.query("CREATE TABLE gate AS SELECT false AS closed");
  await onInsert(line, "WHILE (SELECT closed FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP");
  const set = async (closed: boolean) => {
    await line.database.query("UPDATE gate SET closed = $1", [closed]);
  };
  return { close: () => set(true), open: () => set(false) };
}

/** Waits until a commit waits at the closed gate. */
export async function untilCommitting(line: FragileLine): Promise<void> {
  const sleeping = `SELECT FROM pg_stat_activity
    WHERE wait_event = 'PgSleep' AND datname = current_database()`;
  await until(() => line.database.query(sleeping), (rows) => rows.length > 0);
}

/** Terminates all connections to the line's database except its own. */
export async function terminate(line: FragileLine): Promise<void> {
  await line.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

/** Waits until the worker has logged so many outages of the store. */
export async function waitForOutages(worker: MasklineProcess, times: number): Promise<void> {
  await until(async () => countOutages(worker), (count) => count >= times);
}

/** Fails unless the worker logged each outage and each recovery, and retried at a limited rate. */
export function expectLimitedRetries(worker: MasklineProcess, code: RegExp, outages = 1): void {
  const err = worker.err();
  match(err, new RegExp(`The store is unavailable \\((?:${code.source})\\)`));
  const attempts = [...err.matchAll(/The store has recovered after [\d.]+ s and (\d+) attempts/g)]
    .map(([, count]) => Number(count));
  ok(attempts.length >= 1, err);
  strictEqual(attempts.length, countOutages(worker), err);
  ok(attempts.every((count) => count <= MAX_ATTEMPTS), `Attempts: ${attempts}`);
  // Two lines for each outage, and those of every run. Bad messages and other codes of an outage add lines.
  const lines = err.split("\n")
    .filter((line) => line && !/was rejected|still unavailable/.test(line)).length;
  ok(lines <= 2 * outages + 10, `${lines} lines:\n${err}`);
  const changes = err.match(/still unavailable/g)?.length ?? 0;
  // Besides the probes, each committer reports one.
  const most = attempts.reduce((sum, count) => sum + count, 2 * outages);
  ok(changes <= most, `${changes} changes:\n${err}`);
}

function countOutages(worker: MasklineProcess): number {
  return worker.err().match(/The store is unavailable/g)?.length ?? 0;
}
