import { deepStrictEqual, ok } from "node:assert";
import { attempt, type Verdict } from "../../support/attempt.ts";
import { createLogins, type Logins, type Role } from "../../support/logins.ts";
import { openSession } from "../../support/open_session.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import {
  batchOf,
  createStore,
  eventRow,
  rejectedRow,
  type TestStore,
} from "../../support/test_store.ts";
import { wholeSchema } from "../../support/whole_schema.ts";

const server = await sharedPostgres();
const roles: readonly Role[] = ["writer", "reader", "custodian"];

/**
 * The privileges of each role, by table and function; the columns in brackets, if not all of them. Everything
 * that is not listed is denied. A table or function of the database that is not listed fails the test.
 */
const may: Readonly<Record<string, Partial<Record<Role, string>>>> = {
  "public.user_logins": {
    writer: "INSERT",
    reader: "SELECT",
    custodian: "SELECT INSERT UPDATE DELETE",
  },
  "maskline.ledger": {
    writer: "SELECT INSERT",
    reader: "SELECT",
    custodian: "SELECT UPDATE(outcome)",
  },
  // Partitions are written and read only through the ledger.
  "maskline.ledger_day": {},
  "maskline.ledger_other": {},
  "maskline.dedupe": { writer: "SELECT INSERT", custodian: "SELECT INSERT" },
  "maskline.rejected": {
    writer: "INSERT",
    reader:
      "SELECT(message_id,sent_at,rejected_at,receive_count,reason,field,sqlstate,key_id,status)",
    custodian: "SELECT UPDATE(status,sealed,key_id)",
  },
  "maskline.vault": {
    writer: "SELECT(field,mask,last_seen) INSERT UPDATE(last_seen)",
    custodian: "SELECT INSERT UPDATE DELETE",
  },
  "maskline.rotation": { custodian: "SELECT INSERT UPDATE DELETE" },
  "maskline.removed": { custodian: "SELECT INSERT" },
  "maskline.reveal_audit": { custodian: "SELECT" },
  "maskline.migrations": { writer: "SELECT", reader: "SELECT", custodian: "SELECT" },

  "maskline.make_ledger_days": { writer: "EXECUTE", custodian: "EXECUTE" },
  "maskline.note_audit": { custodian: "EXECUTE" },
  "maskline.count_books": { writer: "EXECUTE", reader: "EXECUTE", custodian: "EXECUTE" },
  // These run with their caller's rights, so they can do nothing that the caller could not do.
  "maskline.assert_writable": { writer: "EXECUTE", reader: "EXECUTE", custodian: "EXECUTE" },
  "maskline.netstring": { writer: "EXECUTE", reader: "EXECUTE", custodian: "EXECUTE" },
  "maskline.refuse_change": { writer: "EXECUTE", reader: "EXECUTE", custodian: "EXECUTE" },
  "maskline.rejected_before": { writer: "EXECUTE", reader: "EXECUTE", custodian: "EXECUTE" },
};

/** Creates a migrated database with some rows, and a login in each role. */
async function withRoles(): Promise<TestStore & { logins: Logins }> {
  const line = await createStore(server);
  await line.store.commit(batchOf([eventRow("a")], [rejectedRow("b")]));
  const logins = await createLogins(server, line.inside);
  const dispose = async () => {
    await line[Symbol.asyncDispose]();
    await logins[Symbol.asyncDispose]();
  };
  return { ...line, logins, [Symbol.asyncDispose]: dispose };
}

function verdictOn(role: Role, known: string, action: string, column: string): Verdict {
  const granted = may[known]?.[role]?.split(" ") ?? [];
  const isIn = granted.some((grant) => {
    const [what, columns] = grant.replace(")", "").split("(");
    return what === action && (columns === undefined || columns.split(",").includes(column));
  });
  return isIn ? "allowed" : "denied";
}

Deno.test("the list of privileges is complete when a database is migrated", async () => {
  await using line = await withRoles();
  const { relations, routines } = await wholeSchema(line.inside);
  const there = new Set([...relations, ...routines].map(({ known }) => known));
  deepStrictEqual([...there].sort(), Object.keys(may).sort());
});

for (const role of roles) {
  Deno.test(`a ${role} may do only what is listed when it tries every column, table and function`, async () => {
    await using line = await withRoles();
    const { relations, routines } = await wholeSchema(line.inside);
    await using session = await openSession(line.logins.url(role));
    const found: string[] = [];
    const expected: string[] = [];
    const tryOut = async (known: string, action: string, statement: string, column = "") => {
      const what = `${action} ${known} ${column}`;
      found.push(`${what} ${await attempt(session, statement)}`);
      expected.push(`${what} ${verdictOn(role, known, action, column)}`);
    };
    for (const { known, name, columns } of relations) {
      for (const column of columns) {
        await tryOut(known, "SELECT", `SELECT ${column} FROM ${name}`, column);
        await tryOut(known, "SELECT", `COPY (SELECT ${column} FROM ${name}) TO STDOUT`, column);
        await tryOut(known, "INSERT", `INSERT INTO ${name} (${column}) VALUES (NULL)`, column);
        await tryOut(known, "UPDATE", `UPDATE ${name} SET ${column} = NULL`, column);
      }
      await tryOut(known, "DELETE", `DELETE FROM ${name}`);
      await tryOut(known, "TRUNCATE", `TRUNCATE ${name}`);
      await tryOut(known, "ALTER", `ALTER TABLE ${name} ADD COLUMN more integer`);
      await tryOut(known, "DROP", `DROP TABLE ${name} CASCADE`);
      await tryOut(
        known,
        "TRIGGER",
        `CREATE TRIGGER t AFTER INSERT ON ${name} EXECUTE FUNCTION maskline.refuse_change()`,
      );
    }
    for (const { known, call } of routines) await tryOut(known, "EXECUTE", call);
    ok(expected.length > 250);
    deepStrictEqual(found, expected);
  });
}

Deno.test("no role, nor PUBLIC, has another kind of privilege or may grant one when a database is migrated", async () => {
  await using line = await withRoles();
  const rest = await line.inside.query(
    `SELECT object, grantee::regrole, privilege_type, is_grantable FROM (
      SELECT oid::regclass::text, relacl FROM pg_class
      UNION ALL SELECT attrelid::regclass || '.' || attname, attacl FROM pg_attribute
      UNION ALL SELECT oid::regprocedure::text, proacl FROM pg_proc
      UNION ALL SELECT nspname, nspacl FROM pg_namespace
      UNION ALL SELECT datname, datacl FROM pg_database WHERE datname = current_database()
    ) AS held (object, acl), aclexplode(acl)
    WHERE grantee::regrole::text LIKE 'maskline%' AND (is_grantable OR privilege_type NOT IN
      ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'EXECUTE', 'USAGE')
    ) OR grantee = 0 AND object LIKE 'maskline%' AND privilege_type <> 'EXECUTE'`,
  );
  deepStrictEqual(rest, []);
});
