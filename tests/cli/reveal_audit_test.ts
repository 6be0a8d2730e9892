import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { freePort } from "../support/free_port.ts";
import { createGuest, NOTE_AUDIT } from "../support/guest.ts";
import { openSession } from "../support/open_session.ts";
import { until } from "../support/progress.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createVault, type Ended, type TestVault } from "../support/test_vault.ts";

const server = await sharedPostgres();

const ALL = ["SELECT ON maskline.vault", NOTE_AUDIT];

/** Creates a vault with one original, and returns its mask too. */
async function filled(): Promise<TestVault & { mask: string }> {
  const vault = await createVault(server);
  const [mask = ""] = await vault.insert([{ field: "ip", original: "203.0.113.7" }]);
  return { ...vault, mask };
}

function reveal(
  vault: TestVault & { mask: string },
  settings: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return vault.run(["reveal", "ip", vault.mask, "--reason", "because"], { settings });
}

Deno.test("reveal records the user, the mask and the reason when it prints an original", async () => {
  await using vault = await filled();
  const args = ["reveal", "ip", vault.mask, "--reason", " Zoë asked 📱 ", "--ticket", "LAW-12"];
  strictEqual((await vault.run(args)).code, 0);
  deepStrictEqual(
    await vault.inside.query(
      `SELECT number::text, role = session_user AS mine, os_user, action, field, mask, reason, ticket,
        detail FROM maskline.reveal_audit`,
    ),
    [{
      number: "1",
      mine: true,
      os_user: "tester",
      action: "reveal",
      field: "ip",
      mask: vault.mask,
      reason: "Zoë asked 📱",
      ticket: "LAW-12",
      detail: null,
    }],
  );
});

Deno.test("reveal records every requested mask when its original is in the vault or not", async () => {
  await using vault = await filled();
  const unknown = `k1.${"x".repeat(43)}`;
  const stdin = `${unknown}\n${vault.mask}`;
  await vault.run(["reveal", "ip", "--stdin", "--reason", "because"], { stdin });
  deepStrictEqual(
    await vault.listAudit(),
    [unknown, vault.mask].map((mask) => ({
      action: "reveal",
      field: "ip",
      mask,
      reason: "because",
    })),
  );
});

Deno.test("reveal commits its audit entry before it reads when the vault is locked", async () => {
  await using vault = await filled();
  await using session = await openSession(vault.inside.url);
  await session.query("BEGIN");
  await session.query("LOCK TABLE maskline.vault IN ACCESS EXCLUSIVE MODE");
  const revealing = reveal(vault);
  // It waits for the lock, and another session sees the entry.
  await until(() => vault.listAudit(), (entries) => entries.length === 1);
  await session.query("ROLLBACK");
  deepStrictEqual(await revealing, { code: 0, out: "203.0.113.7\n", err: "" });
});

Deno.test("reveal works when the role may only read the vault and write the audit log", async () => {
  await using vault = await filled();
  await using guest = await createGuest(vault.inside, ALL);
  deepStrictEqual(await reveal(vault, { DATABASE_URL: guest.url }), {
    code: 0,
    out: "203.0.113.7\n",
    err: "",
  });
  const [entry] = await vault.inside.query("SELECT role FROM maskline.reveal_audit");
  deepStrictEqual(entry, { role: guest.name });
});

Deno.test("reveal prints nothing when the role may not write the audit log", async () => {
  await using vault = await filled();
  await using guest = await createGuest(vault.inside, ["SELECT ON maskline.vault"]);
  const { code, out, err } = await reveal(vault, { DATABASE_URL: guest.url });
  deepStrictEqual([code, out], [1, ""]);
  strictEqual(
    err,
    "Nothing is shown, because it could not be recorded in the audit log: " +
      "Postgres refused with SQLSTATE 42501: permission denied for function note_audit\n",
  );
  deepStrictEqual(await vault.listAudit(), []);
});

Deno.test("reveal prints nothing when the role may insert into the table but not call note_audit()", async () => {
  await using vault = await filled();
  const privileges = ["SELECT ON maskline.vault", "SELECT, INSERT ON maskline.reveal_audit"];
  await using guest = await createGuest(vault.inside, privileges);
  const { code, out } = await reveal(vault, { DATABASE_URL: guest.url });
  deepStrictEqual([code, out], [1, ""]);
});

Deno.test("reveal leaves its audit entry when the role may not read the vault", async () => {
  await using vault = await filled();
  await using guest = await createGuest(vault.inside, [NOTE_AUDIT]);
  const { code, out, err } = await reveal(vault, { DATABASE_URL: guest.url });
  deepStrictEqual([code, out], [1, ""]);
  match(err, /^Postgres refused with SQLSTATE 42501: permission denied for table vault$/m);
  strictEqual((await vault.listAudit()).length, 1);
});

Deno.test("reveal prints nothing when the database is read-only", async () => {
  await using vault = await filled();
  await using guest = await createGuest(vault.inside, ALL);
  await vault.inside.query(`ALTER ROLE ${guest.name} SET default_transaction_read_only = on`);
  const { code, out, err } = await reveal(vault, { DATABASE_URL: guest.url });
  deepStrictEqual([code, out], [1, ""]);
  match(
    err,
    /^Nothing is shown, because it could not be recorded in the audit log: .* SQLSTATE 25006/,
  );
});

Deno.test("reveal prints nothing when the database is unavailable", async () => {
  await using vault = await filled();
  const { code, out, err } = await reveal(vault, {
    DATABASE_URL: `postgres://x@127.0.0.1:${freePort()}/x`,
  });
  deepStrictEqual([code, out], [1, ""]);
  match(err, /^Postgres did not answer: ECONNREFUSED$/m);
});

Deno.test("reveal prints nothing when note_audit() does not exist", async () => {
  await using vault = await filled();
  await vault.inside.query("DROP FUNCTION maskline.note_audit");
  const { code, out } = await reveal(vault);
  deepStrictEqual([code, out], [1, ""]);
});

Deno.test("reveal prints nothing when an audit entry violates a constraint that the owner added", async () => {
  await using vault = await filled();
  await vault.inside.query(
    "ALTER TABLE maskline.reveal_audit ADD CHECK (ticket IS NOT NULL)",
  );
  const { code, out, err } = await reveal(vault);
  deepStrictEqual([code, out], [1, ""]);
  ok(err.includes("SQLSTATE 23514") && !err.includes(vault.mask), err);
});
