import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { freePort } from "../support/free_port.ts";
import { createGuest, NOTE_AUDIT } from "../support/guest.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createVault } from "../support/test_vault.ts";

const server = await sharedPostgres();

const stdin = "203.0.113.7\n";

Deno.test("mask records the mask and nothing of the value in the audit log when a reason is given or not", async () => {
  await using vault = await createVault(server);
  const [mask = ""] = await vault.insert([{ field: "ip", original: "203.0.113.7" }]);
  const expected = { code: 0, out: `${mask}\n`, err: "" };
  deepStrictEqual(await vault.run(["mask", "ip"], { stdin }), expected);
  const why = ["--reason", "a report", "--ticket", "OPS-3"];
  deepStrictEqual(await vault.run(["mask", "ip", ...why], { stdin }), expected);
  const entry = { os_user: "tester", action: "mask", field: "ip", mask };
  deepStrictEqual(
    await vault.inside.query(
      `SELECT os_user, action, field, mask, reason, ticket FROM maskline.reveal_audit
        ORDER BY number`,
    ),
    [{ ...entry, reason: null, ticket: null }, { ...entry, reason: "a report", ticket: "OPS-3" }],
  );
  const [text] = await vault.inside.query<{ audit: string }>(
    "SELECT string_agg(e::text, ' ') AS audit FROM maskline.reveal_audit e",
  );
  ok(text && !text.audit.includes("203.0"));
});

Deno.test("mask records in the other database when VAULT_DATABASE_URL is set", async () => {
  await using vault = await createVault(server);
  const settings = {
    VAULT_DATABASE_URL: vault.inside.url,
    DATABASE_URL: `postgres://x@127.0.0.1:${freePort()}/x`,
  };
  strictEqual((await vault.run(["mask", "ip"], { stdin, settings })).code, 0);
  strictEqual((await vault.listAudit()).length, 1);
});

Deno.test("mask prints nothing when the role may not write the audit log, and needs no other privilege", async () => {
  await using vault = await createVault(server);
  for (const privileges of [[], [NOTE_AUDIT]]) {
    await using guest = await createGuest(vault.inside, privileges);
    const settings = { DATABASE_URL: guest.url };
    const { code, out, err } = await vault.run(["mask", "ip"], { stdin, settings });
    if (privileges.length > 0) deepStrictEqual([code, out.slice(0, 3), err], [0, "k1.", ""]);
    else {
      deepStrictEqual([code, out], [1, ""]);
      match(err, /^Nothing is shown, because it could not be recorded in the audit log: .*42501/);
    }
  }
});

Deno.test("mask prints nothing when the database is unavailable", async () => {
  await using vault = await createVault(server);
  const settings = { DATABASE_URL: `postgres://x@127.0.0.1:${freePort()}/x` };
  const { code, out, err } = await vault.run(["mask", "ip"], { stdin, settings });
  deepStrictEqual([code, out], [1, ""]);
  match(err, /ECONNREFUSED/);
});

Deno.test("mask records nothing when the value has no mask", async () => {
  await using vault = await createVault(server);
  strictEqual((await vault.run(["mask", "ip"], { stdin: "zq7" })).code, 1);
  deepStrictEqual(await vault.listAudit(), []);
});

Deno.test("mask reports that the reason is not recorded when no database is set", async () => {
  await using vault = await createVault(server);
  const settings = { DATABASE_URL: "" };
  const { code, err } = await vault.run(["mask", "ip", "--ticket", "T"], { stdin, settings });
  deepStrictEqual(
    [code, err],
    [0, "Not recorded: neither VAULT_DATABASE_URL nor DATABASE_URL is set\n"],
  );
});

Deno.test("mask exits with 2 when the reason is empty", async () => {
  await using vault = await createVault(server);
  const { code, out, err } = await vault.run(["mask", "ip", "--reason", ""], { stdin });
  deepStrictEqual([code, out], [2, ""]);
  match(err, /^--reason: expected 1 to 1000 characters/);
  deepStrictEqual(await vault.listAudit(), []);
});
