import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert";
import { recordAudit } from "../../lib/custody/audit.ts";
import {
  type AuditHead,
  type AuditVerdict,
  NO_HASH,
  verifyAudit,
} from "../../lib/custody/verify_audit.ts";
import { createGuest } from "../support/guest.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createStore, open, type TestStore } from "../support/test_store.ts";

const server = await sharedPostgres();

/** Creates an audit log with seven entries. */
async function sevenEntries(): Promise<TestStore & { head: AuditHead }> {
  const line = await createStore(server);
  const subjects = ["a", "b", "c", "d", "e", "f"].map((mask) => ({ field: "ip", mask }));
  await recordAudit(line.database, {
    action: "reveal",
    osUser: "zoë",
    reason: "why",
    ticket: null,
    subjects,
  });
  await recordAudit(line.database, {
    action: "forget",
    osUser: null,
    reason: null,
    ticket: "T-1",
    detail: "3 rows",
    subjects: [{ field: null, mask: null }],
  });
  const { head } = await verifyAudit(line.database);
  if (!head) throw new Error("The chain is broken from the start");
  return { ...line, head };
}

/** Changes the audit log as its owner, who disables the trigger. */
async function tamper({ inside }: Pick<TestStore, "inside">, ...statements: string[]) {
  const all = ["ALTER TABLE AUDIT DISABLE TRIGGER append_only", ...statements].join(";\n");
  await inside.query(all.replaceAll("AUDIT", "maskline.reveal_audit"));
}

const CHANGED = "its hash does not match its columns: it was changed";
const UNTIED =
  "it does not follow the previous entry: one of them was changed, moved, inserted or removed";
const STRAY = "its number is below 1, or occurs twice";
const gap = (number: number) => `expected number ${number} here: entries are missing or renumbered`;

/** Recomputes the hash of an entry that the owner changed, who knows how it is computed. */
const REHASH = `UPDATE AUDIT SET hash = sha256(before || maskline.netstring(number::text) ||
  maskline.netstring(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) ||
  maskline.netstring(role) || maskline.netstring(os_user) || maskline.netstring(action) ||
  maskline.netstring(field) || maskline.netstring(mask) || maskline.netstring(reason) ||
  maskline.netstring(ticket) || maskline.netstring(detail)) WHERE number = `;

Deno.test("verifyAudit() returns the last entry's number and hash when nothing was changed", async () => {
  await using line = await sevenEntries();
  const [last] = await line.inside.query<{ hash: string }>(
    "SELECT encode(hash, 'hex') AS hash FROM maskline.reveal_audit WHERE number = 7",
  );
  deepStrictEqual(line.head, { number: "7", hash: last?.hash });
});

Deno.test("verifyAudit() returns number 0 when nothing was recorded", async () => {
  await using line = await createStore(server);
  const head = { number: "0", hash: NO_HASH };
  deepStrictEqual(await verifyAudit(line.database), { head });
  deepStrictEqual(await verifyAudit(line.database, { head }), { head });
});

for (const page of [1, 2, 6, 7, 8]) {
  Deno.test(`verifyAudit() walks all seven entries when a page has ${page}`, async () => {
    await using line = await sevenEntries();
    const { head } = line;
    deepStrictEqual(await verifyAudit(line.database, { page }), { head });
    await tamper(line, "UPDATE AUDIT SET reason = 'other' WHERE number = 7");
    const fault = { number: "7", what: CHANGED };
    deepStrictEqual(await verifyAudit(line.database, { page }), { fault });
  });
}

Deno.test("verifyAudit() accepts an earlier head when entries were recorded since", async () => {
  await using line = await sevenEntries();
  const { head } = line;
  const record = { action: "mask", osUser: null, reason: null, ticket: null } as const;
  await recordAudit(line.database, { ...record, subjects: [{ field: "ip", mask: "g" }] });
  const verdict = await verifyAudit(line.database, { head });
  strictEqual(verdict.head?.number, "8");
});

const columns: readonly [column: string, value: string][] = [
  ["at", "at + interval '1 microsecond'"],
  ["at", "at - interval '4000 years'"],
  ["at", "'infinity'"],
  ["role", "role || 'x'"],
  ["role", "''"],
  ["os_user", "NULL"],
  ["os_user", "'zoe'"],
  ["action", "'mask'"],
  ["field", "'device_id'"],
  ["field", "NULL"],
  ["mask", "upper(mask)"],
  ["mask", "''"],
  ["reason", "'because'"],
  ["reason", "reason || ' '"],
  ["ticket", "''"],
  ["detail", "''"],
  ["detail", "'zq7'"],
  ["hash", "set_byte(hash, 31, get_byte(hash, 31) # 1)"],
  ["hash", "substring(hash FOR 31)"],
  ["hash", "''"],
];
Deno.test("verifyAudit() finds the exact entry when any column of the first, a middle or a late one was changed", async () => {
  await using line = await sevenEntries();
  await tamper(line, "CREATE TABLE saved AS SELECT * FROM AUDIT");
  for (const number of ["1", "4", "6"]) {
    for (const [column, value] of columns) {
      const change = `UPDATE AUDIT SET ${column} = ${value} WHERE number = ${number}`;
      await tamper(line, "TRUNCATE AUDIT", "INSERT INTO AUDIT SELECT * FROM saved", change);
      const fault = { number, what: CHANGED };
      deepStrictEqual([change, await verifyAudit(line.database)], [change, { fault }]);
    }
  }
  await tamper(line, "TRUNCATE AUDIT", "INSERT INTO AUDIT SELECT * FROM saved");
  deepStrictEqual(await verifyAudit(line.database), { head: line.head });
});

Deno.test("verifyAudit() finds the entry when its time was changed to the same date before Christ", async () => {
  await using line = await sevenEntries();
  const beforeChrist = "(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC BC')";
  await tamper(line, `UPDATE AUDIT SET at = ${beforeChrist}::timestamptz WHERE number = 5`);
  deepStrictEqual(await verifyAudit(line.database), { fault: { number: "5", what: CHANGED } });
});

const tampered: readonly [what: string, number: string, why: string, statements: string[]][] = [
  ["its previous hash was changed", "4", UNTIED, [
    "UPDATE AUDIT SET before = hash WHERE number = 4",
  ]],
  ["the previous hash of the first entry was changed", "1", UNTIED, [
    "UPDATE AUDIT SET before = hash WHERE number = 1",
  ]],
  ["an entry was changed and its hash recomputed", "5", UNTIED, [
    "UPDATE AUDIT SET reason = 'other' WHERE number = 4",
    `${REHASH} 4`,
  ]],
  ["the first was removed", "2", gap(1), ["DELETE FROM AUDIT WHERE number = 1"]],
  ["a middle one was removed", "5", gap(4), ["DELETE FROM AUDIT WHERE number = 4"]],
  ["a middle one was removed and the others renumbered", "4", UNTIED, [
    "DELETE FROM AUDIT WHERE number = 4",
    "UPDATE AUDIT SET number = 1 - number WHERE number > 4",
    "UPDATE AUDIT SET number = -number WHERE number < 0",
  ]],
  ["two were swapped", "3", UNTIED, [
    "UPDATE AUDIT SET number = CASE number WHEN 3 THEN -4 ELSE -3 END WHERE number IN (3, 4)",
    "UPDATE AUDIT SET number = -number WHERE number < 0",
  ]],
  ["one was inserted", "4", UNTIED, [
    "UPDATE AUDIT SET number = -number WHERE number > 3",
    "UPDATE AUDIT SET number = 1 - number WHERE number < 0",
    `INSERT INTO AUDIT SELECT 4, at, role, os_user, action, field, 'zq7', reason, ticket, detail,
      before, hash FROM AUDIT WHERE number = 3`,
  ]],
  ["one was inserted with a matching hash", "5", UNTIED, [
    "UPDATE AUDIT SET number = -number WHERE number > 3",
    "UPDATE AUDIT SET number = 1 - number WHERE number < 0",
    `INSERT INTO AUDIT SELECT 4, at, role, os_user, action, field, 'zq7', reason, ticket, detail,
      hash, hash FROM AUDIT WHERE number = 3`,
    `${REHASH} 4`,
  ]],
  ["one was appended by hand", "8", UNTIED, [
    `INSERT INTO AUDIT SELECT 8, at, role, os_user, action, field, mask, reason, ticket, detail,
      before, hash FROM AUDIT WHERE number = 7`,
  ]],
  ["one was inserted with a much higher number", "99", gap(8), [
    `INSERT INTO AUDIT SELECT 99, at, role, os_user, action, field, mask, reason, ticket, detail,
      hash, hash FROM AUDIT WHERE number = 7`,
  ]],
  ["one was inserted below the first", "-3", STRAY, [
    `INSERT INTO AUDIT SELECT -3, at, role, os_user, action, field, mask, reason, ticket, detail,
      before, hash FROM AUDIT WHERE number = 1`,
  ]],
  ["all were renumbered from 2 on", "2", gap(1), [
    "UPDATE AUDIT SET number = -number",
    "UPDATE AUDIT SET number = 1 - number",
  ]],
];
for (const [what, number, why, statements] of tampered) {
  Deno.test(`verifyAudit() finds entry ${number} when ${what}`, async () => {
    await using line = await sevenEntries();
    await tamper(line, ...statements);
    deepStrictEqual(await verifyAudit(line.database), { fault: { number, what: why } });
  });
}

Deno.test("verifyAudit() finds an entry that is there twice when the two are on different pages", async () => {
  await using line = await sevenEntries();
  await tamper(
    line,
    "ALTER TABLE AUDIT DROP CONSTRAINT reveal_audit_pkey",
    "INSERT INTO AUDIT SELECT * FROM AUDIT WHERE number = 4",
  );
  const verdict: AuditVerdict = await verifyAudit(line.database, { page: 4 });
  deepStrictEqual(verdict, { fault: { number: "4", what: STRAY } });
});

Deno.test("verifyAudit() finds that the last entries were removed only when an earlier head is given", async () => {
  await using line = await sevenEntries();
  const { head } = line;
  await tamper(line, "DELETE FROM AUDIT WHERE number > 5");
  strictEqual((await verifyAudit(line.database)).head?.number, "5");
  const fault = { number: "7", what: "it is missing: the last entry is 5" };
  deepStrictEqual(await verifyAudit(line.database, { head }), { fault });
});

Deno.test("verifyAudit() finds that all entries were removed only when an earlier head is given", async () => {
  await using line = await sevenEntries();
  const { head } = line;
  await tamper(line, "TRUNCATE AUDIT");
  const fault = { number: "7", what: "it is missing: the last entry is 0" };
  deepStrictEqual(await verifyAudit(line.database, { head }), { fault });
});

Deno.test("verifyAudit() finds that the chain was rewritten only when an earlier head is given", async () => {
  await using line = await sevenEntries();
  const { head } = line;
  // The owner changes entry 6, and recomputes the hashes from there on.
  await tamper(
    line,
    "UPDATE AUDIT SET mask = 'harmless' WHERE number = 6",
    `${REHASH} 6`,
    "UPDATE AUDIT SET before = (SELECT hash FROM AUDIT WHERE number = 6) WHERE number = 7",
    `${REHASH} 7`,
  );
  ok((await verifyAudit(line.database)).head);
  const what = "its hash differs from the given head: the chain was rewritten";
  const fault = { number: "7", what };
  deepStrictEqual(await verifyAudit(line.database, { head }), { fault });
});

Deno.test("verifyAudit() works when the role may only read the audit log, and fails when it may not", async () => {
  await using line = await sevenEntries();
  for (const privileges of [["SELECT ON maskline.reveal_audit"], []]) {
    await using guest = await createGuest(line.inside, privileges);
    const database = open({ url: new URL(guest.url) });
    if (privileges.length > 0) deepStrictEqual(await verifyAudit(database), { head: line.head });
    else await rejects(() => verifyAudit(database), { kind: "fatal", code: "42501" });
    await database.close();
  }
});
