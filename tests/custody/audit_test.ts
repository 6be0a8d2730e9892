import { deepStrictEqual, rejects, strictEqual } from "node:assert";
import { type AuditRecord, recordAudit } from "../../lib/custody/audit.ts";
import { verifyAudit } from "../../lib/custody/verify_audit.ts";
import { createGuest, NOTE_AUDIT } from "../support/guest.ts";
import { openSession } from "../support/open_session.ts";
import { until } from "../support/progress.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createStore, open } from "../support/test_store.ts";

const server = await sharedPostgres();

function createRecord(...masks: string[]): AuditRecord {
  const subjects = masks.map((mask) => ({ field: "ip", mask }));
  return { action: "reveal", osUser: "zoë", reason: "why", ticket: null, subjects };
}

Deno.test("recordAudit() appends an entry for each subject, in order, and none when there is no subject", async () => {
  await using line = await createStore(server);
  await recordAudit(line.database, createRecord("b", "a"));
  await recordAudit(line.database, createRecord());
  await recordAudit(line.database, createRecord("c"));
  deepStrictEqual(
    await line.inside.query(
      "SELECT number::integer, mask FROM maskline.reveal_audit ORDER BY number",
    ),
    [{ number: 1, mask: "b" }, { number: 2, mask: "a" }, { number: 3, mask: "c" }],
  );
});

Deno.test("recordAudit() extends one chain when many sessions record at the same time", async () => {
  await using line = await createStore(server);
  const others = Array.from({ length: 4 }, () => open({ url: new URL(line.inside.url) }));
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const subjects = Array.from({ length: index % 7 }, (_, part) => `${index}.${part}`);
      await recordAudit(others[index % 4] ?? line.database, createRecord(...subjects));
    }),
  );
  for (const other of others) await other.close();
  const { head } = await verifyAudit(line.database);
  // 0 to 6 entries each, fourteen times, and then 0 and 1 more.
  strictEqual(head?.number, `${14 * 21 + 1}`);
});

Deno.test("recordAudit() waits for a transaction that recorded an entry, and uses its number when it rolls back", async () => {
  await using line = await createStore(server);
  await recordAudit(line.database, createRecord("first"));
  await using session = await openSession(line.inside.url);
  await session.query("BEGIN");
  const args = "'x', 'reveal', ARRAY['ip'], ARRAY['undone'], 'why', NULL, NULL";
  await session.query(`SELECT maskline.note_audit(${args})`);
  const recording = recordAudit(line.database, createRecord("second"));
  await until(
    () =>
      line.inside.query<{ count: number }>(
        `SELECT count(*)::integer FROM pg_stat_activity
          WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      ),
    ([row]) => row?.count === 1,
  );
  await session.query("ROLLBACK");
  await recording;
  deepStrictEqual(
    await line.inside.query(
      "SELECT number::integer, mask FROM maskline.reveal_audit ORDER BY number",
    ),
    [{ number: 1, mask: "first" }, { number: 2, mask: "second" }],
  );
  strictEqual((await verifyAudit(line.database)).head?.number, "2");
});

for (const level of ["REPEATABLE READ", "SERIALIZABLE"]) {
  Deno.test(`recordAudit() fails, and does not fork the chain, when a transaction is ${level} and its snapshot is older`, async () => {
    await using line = await createStore(server);
    await recordAudit(line.database, createRecord("first"));
    await using session = await openSession(line.inside.url);
    await session.query(`BEGIN ISOLATION LEVEL ${level}`);
    await session.query("SELECT FROM maskline.reveal_audit");
    await recordAudit(line.database, createRecord("second"));
    const args = "'x', 'reveal', ARRAY['ip'], ARRAY['fork'], 'why', NULL, NULL";
    await rejects(session.query(`SELECT maskline.note_audit(${args})`));
    await session.query("ROLLBACK");
    strictEqual((await verifyAudit(line.database)).head?.number, "2");
  });
}

Deno.test("recordAudit() records the role of the session when the session has set another role", async () => {
  await using line = await createStore(server);
  await using guest = await createGuest(line.inside, [NOTE_AUDIT]);
  await using other = await createGuest(line.inside, [NOTE_AUDIT]);
  await line.inside.query(`GRANT ${other.name} TO ${guest.name}`);
  await using session = await openSession(guest.url);
  await session.query(`SET ROLE ${other.name}`);
  await session.query(
    "SELECT maskline.note_audit('root', 'mask', ARRAY['ip'], ARRAY['m'], NULL, NULL, NULL)",
  );
  deepStrictEqual(await line.inside.query("SELECT role FROM maskline.reveal_audit"), [
    { role: guest.name },
  ]);
});

Deno.test("recordAudit() runs its own functions when the session has objects with the same names", async () => {
  await using line = await createStore(server);
  await using guest = await createGuest(line.inside, [NOTE_AUDIT]);
  await using session = await openSession(guest.url);
  // Temporary functions must be called by schema; temporary tables and operators need not be.
  await session.query("CREATE TEMP TABLE reveal_audit (number bigint, hash bytea)");
  await session.query("SET search_path = pg_temp, public");
  await session.query(
    "SELECT maskline.note_audit('x', 'mask', ARRAY['ip'], ARRAY['m'], NULL, NULL, NULL)",
  );
  strictEqual((await verifyAudit(line.database)).head?.number, "1");
});

const refused: readonly string[] = [
  "UPDATE maskline.reveal_audit SET reason = 'other'",
  "UPDATE maskline.reveal_audit SET reason = 'other' WHERE false",
  "DELETE FROM maskline.reveal_audit",
  "TRUNCATE maskline.reveal_audit",
  `MERGE INTO maskline.reveal_audit a USING (SELECT 1) one ON true WHEN MATCHED THEN DELETE`,
  `INSERT INTO maskline.reveal_audit SELECT * FROM maskline.reveal_audit
    ON CONFLICT (number) DO UPDATE SET reason = 'other'`,
];
for (const statement of refused) {
  Deno.test(`the audit log refuses a change by its owner when the statement is ${statement.split("\n")[0]}`, async () => {
    await using line = await createStore(server);
    await recordAudit(line.database, createRecord("a", "b"));
    await rejects(line.inside.query(statement), { code: "42501" });
    strictEqual((await verifyAudit(line.database)).head?.number, "2");
  });
}
