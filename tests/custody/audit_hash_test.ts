import fc from "fast-check";
import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert";
import { createHash } from "node:crypto";
import { type AuditAction, recordAudit } from "../../lib/custody/audit.ts";
import { type AuditEntry, computeAuditHash, NO_HASH } from "../../lib/custody/verify_audit.ts";
import { readAuditEntries } from "../../lib/store/postgres/sql/audit.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createStore } from "../support/test_store.ts";

const server = await sharedPostgres();

const entry: AuditEntry = {
  number: "1",
  at: "2026-02-03T04:05:06.000007Z",
  role: "zoë",
  os_user: null,
  action: "mask",
  field: "",
  mask: "k1.a",
  reason: "3:a,",
  ticket: null,
  detail: null,
  before: NO_HASH,
  hash: "",
};

Deno.test("computeAuditHash() returns SHA-256 of the previous hash and the netstrings when these are written out by hand", () => {
  const text = "1:1,27:2026-02-03T04:05:06.000007Z,4:zoë,-,4:mask,0:,4:k1.a,4:3:a,,-,-,";
  const bytes = new Uint8Array([...new Uint8Array(32), ...new TextEncoder().encode(text)]);
  strictEqual(computeAuditHash(entry), createHash("sha256").update(bytes).digest("hex"));
});

const neighbours: readonly [what: string, one: Partial<AuditEntry>, other: Partial<AuditEntry>][] =
  [
    ["NULL is compared with an empty text", { reason: null }, { reason: "" }],
    ["a part moves to the next", { field: "a", mask: "b" }, { field: "ab", mask: "" }],
    ["NULL moves to the next", { field: null, mask: "a" }, { field: "a", mask: null }],
    ["a part looks like two", { field: "1:a,1:b", mask: "" }, { field: "1:a", mask: "1:b" }],
    ["a part looks like NULL", { field: "-,", mask: null }, { field: null, mask: "-," }],
    ["two forms of a letter", { reason: "é" }, { reason: "e\u0301" }],
  ];
for (const [what, one, other] of neighbours) {
  Deno.test(`computeAuditHash() returns two hashes when ${what}`, () => {
    notStrictEqual(
      computeAuditHash({ ...entry, ...one }),
      computeAuditHash({ ...entry, ...other }),
    );
  });
}

/** Texts that Postgres can store: all of Unicode except NUL. Many of them contain the syntax of netstrings. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom("1", "2", "3", ":", ",", "-", "a", "é", "📱", "\n") }),
  fc.string({ unit: "binary", maxLength: 40 })
    .filter((value) => !value.includes("\0") && value.isWellFormed()),
  fc.constantFrom("", "3:a,", "-,", "0:,", "1:", ",", "NULL", "{a,b}", "\\x00", "\ufeff", "\u202e"),
);
const maybe = fc.option(text, { nil: null });
const records = fc.array(
  fc.record({
    action: text as fc.Arbitrary<string> as fc.Arbitrary<AuditAction>,
    osUser: maybe,
    reason: maybe,
    ticket: maybe,
    detail: maybe,
    subjects: fc.array(fc.record({ field: maybe, mask: maybe }), { maxLength: 5 }),
  }),
  { minLength: 1, maxLength: 8 },
);

Deno.test("computeAuditHash() returns what Postgres computes when an entry has any contents", async () => {
  await using line = await createStore(server);
  let recorded = 0;
  await fc.assert(
    fc.asyncProperty(records, async (all) => {
      for (const record of all) await recordAudit(line.database, record);
      const entries = await line.database.query<AuditEntry>(readAuditEntries, [recorded, 1000]);
      deepStrictEqual(
        entries.map(({ action, os_user, reason, ticket, detail, field, mask }) => (
          { action, os_user, reason, ticket, detail, field, mask }
        )),
        all.flatMap(({ subjects, osUser, ...rest }) =>
          subjects.map((subject) => ({ ...rest, os_user: osUser, ...subject }))
        ),
      );
      for (const one of entries) strictEqual(computeAuditHash(one), one.hash);
      recorded += entries.length;
    }),
    { numRuns: 60 },
  );
});

for (const zone of ["Asia/Kathmandu", "America/St_Johns"]) {
  Deno.test(`computeAuditHash() returns what Postgres computed when the time zone of the session is ${zone}`, async () => {
    await using line = await createStore(server);
    await line.inside.query(`ALTER DATABASE ${line.inside.name} SET timezone = '${zone}'`);
    await line.inside.query(`ALTER DATABASE ${line.inside.name} SET datestyle = 'German'`);
    const subjects = [{ field: "ip", mask: "k1.a" }];
    await recordAudit(line.database, {
      action: "mask",
      osUser: null,
      reason: null,
      ticket: null,
      subjects,
    });
    const [one] = await line.database.query<AuditEntry>(readAuditEntries, [0, 1]);
    strictEqual(one && computeAuditHash(one), one?.hash);
  });
}
