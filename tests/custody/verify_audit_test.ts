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

/** An audit with seven entries. */
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

/** Does something to the audit as its owner, who takes the trigger away. */
async function tamper({ inside }: Pick<TestStore, "inside">, ...statements: string[]) {
  const all = ["ALTER TABLE AUDIT DISABLE TRIGGER append_only", ...statements].join(";\n");
  await inside.query(all.replaceAll("AUDIT", "maskline.reveal_audit"));
}

const CHANGED = "its hash is not that of its columns: it was changed";
const UNTIED =
  "it does not follow the entry before: one of them was changed, moved, inserted or removed";
const gap = (number: number) => `wanted number ${number} here: entries are gone or renumbered`;

/** An entry as an owner can make it, with a hash that fits: they know the rule as well as we. */
const REHASH = `UPDATE AUDIT SET hash = sha256(before || maskline.netstring(number::text) ||
  maskline.netstring(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) ||
  maskline.netstring(role) || maskline.netstring(os_user) || maskline.netstring(action) ||
  maskline.netstring(field) || maskline.netstring(mask) || maskline.netstring(reason) ||
  maskline.netstring(ticket) || maskline.netstring(detail)) WHERE number = `;

Deno.test("verifyAudit() gives the last entry's number and hash when all is well", async () => {
  await using line = await sevenEntries();
  const [last] = await line.inside.query<{ hash: string }>(
    "SELECT encode(hash, 'hex') AS hash FROM maskline.reveal_audit WHERE number = 7",
  );
  deepStrictEqual(line.head, { number: "7", hash: last?.hash });
});

Deno.test("verifyAudit() gives number 0 when nothing was noted", async () => {
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

Deno.test("verifyAudit() takes an earlier head when entries came since", async () => {
  await using line = await sevenEntries();
  const { head } = line;
  const deed = { action: "mask", osUser: null, reason: null, ticket: null } as const;
  await recordAudit(line.database, { ...deed, subjects: [{ field: "ip", mask: "g" }] });
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
Deno.test("verifyAudit() finds the very entry when any column of the first, a middle or a late one was changed", async () => {
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

Deno.test("verifyAudit() finds a time before Christ, whose digits are those of its mirror image", async () => {
  await using line = await sevenEntries();
  const mirrored = "(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' UTC BC')";
  await tamper(line, `UPDATE AUDIT SET at = ${mirrored}::timestamptz WHERE number = 5`);
  deepStrictEqual(await verifyAudit(line.database), { fault: { number: "5", what: CHANGED } });
});

const tampered: readonly [what: string, number: string, why: string, statements: string[]][] = [
  ["before was changed", "4", UNTIED, ["UPDATE AUDIT SET before = hash WHERE number = 4"]],
  ["the first one's before was changed", "1", UNTIED, [
    "UPDATE AUDIT SET before = hash WHERE number = 1",
  ]],
  ["an entry was changed and hashed anew", "5", UNTIED, [
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
  ["one was inserted with a fitting hash", "5", UNTIED, [
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
  ["one was inserted far off", "99", gap(8), [
    `INSERT INTO AUDIT SELECT 99, at, role, os_user, action, field, mask, reason, ticket, detail,
      hash, hash FROM AUDIT WHERE number = 7`,
  ]],
  ["one was inserted below the first", "-3", "it is below 1, or there twice", [
    `INSERT INTO AUDIT SELECT -3, at, role, os_user, action, field, mask, reason, ticket, detail,
      before, hash FROM AUDIT WHERE number = 1`,
  ]],
  ["all were numbered from 2 on", "2", gap(1), [
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

Deno.test("verifyAudit() finds an entry that is there twice when it lies between two pages", async () => {
  await using line = await sevenEntries();
  await tamper(
    line,
    "ALTER TABLE AUDIT DROP CONSTRAINT reveal_audit_pkey",
    "INSERT INTO AUDIT SELECT * FROM AUDIT WHERE number = 4",
  );
  const verdict: AuditVerdict = await verifyAudit(line.database, { page: 4 });
  deepStrictEqual(verdict, { fault: { number: "4", what: "it is below 1, or there twice" } });
});

Deno.test("verifyAudit() finds that the last entries were cut off only by an earlier head", async () => {
  await using line = await sevenEntries();
  const { head } = line;
  await tamper(line, "DELETE FROM AUDIT WHERE number > 5");
  strictEqual((await verifyAudit(line.database)).head?.number, "5");
  const fault = { number: "7", what: "it is gone: the entries end at 5" };
  deepStrictEqual(await verifyAudit(line.database, { head }), { fault });
});

Deno.test("verifyAudit() finds that all entries were removed only by an earlier head", async () => {
  await using line = await sevenEntries();
  const { head } = line;
  await tamper(line, "TRUNCATE AUDIT");
  const fault = { number: "7", what: "it is gone: the entries end at 0" };
  deepStrictEqual(await verifyAudit(line.database, { head }), { fault });
});

Deno.test("verifyAudit() finds a chain that was made anew only by an earlier head", async () => {
  await using line = await sevenEntries();
  const { head } = line;
  // The owner lies about entry 6, and chains what follows to the lie.
  await tamper(
    line,
    "UPDATE AUDIT SET mask = 'harmless' WHERE number = 6",
    `${REHASH} 6`,
    "UPDATE AUDIT SET before = (SELECT hash FROM AUDIT WHERE number = 6) WHERE number = 7",
    `${REHASH} 7`,
  );
  ok((await verifyAudit(line.database)).head);
  const fault = { number: "7", what: "its hash is not the one kept: the chain was made anew" };
  deepStrictEqual(await verifyAudit(line.database, { head }), { fault });
});

Deno.test("verifyAudit() works for a role that may only read the audit, and fails for one that may not", async () => {
  await using line = await sevenEntries();
  for (const privileges of [["SELECT ON maskline.reveal_audit"], []]) {
    await using guest = await createGuest(line.inside, privileges);
    const database = open({ url: new URL(guest.url) });
    if (privileges.length > 0) deepStrictEqual(await verifyAudit(database), { head: line.head });
    else await rejects(() => verifyAudit(database), { kind: "fatal", code: "42501" });
    await database.close();
  }
});
