import { deepStrictEqual, match, strictEqual } from "node:assert";
import { createKeyChain } from "../../../lib/vault/open.ts";
import {
  createTestKeys,
  insertOriginals,
  type TestKeys,
  textOf,
} from "../../support/kept_originals.ts";
import { createLogins } from "../../support/logins.ts";
import { openSession } from "../../support/open_session.ts";
import {
  auditOf,
  byUser,
  command,
  createRotating,
  expectNoLogin,
  insertBodies,
  openedLogins,
  RUN,
  sharedLogins,
  vaultRotationSettings,
} from "../../support/rotating.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import type { TestDatabase } from "../../support/test_database.ts";

const server = await sharedPostgres();
const RUN_VAULT = [...RUN, "--vault"] as const;

async function startRotating(count: number, bodies: readonly string[] = []) {
  const logins = sharedLogins(count);
  const rotating = await createRotating(server, logins);
  const { inside, keys } = rotating;
  await insertBodies(inside, keys.old, bodies);
  const settings = { ...vaultRotationSettings(keys), DATABASE_URL: inside.url };
  return { ...rotating, logins, settings };
}

async function bodiesIn(inside: TestDatabase, keys: readonly TestKeys[]): Promise<string[]> {
  const chain = createKeyChain(keys.map(({ privateKey }) => privateKey));
  const rows = await inside.query<{ message_id: string; sealed: Uint8Array; key_id: string }>(
    "SELECT message_id, sealed, key_id FROM maskline.rejected ORDER BY rejected_at, message_id",
  );
  return await Promise.all(
    rows.map(({ message_id: mask, sealed, key_id }) =>
      chain.open(new Uint8Array(sealed), key_id, { field: "rejected", mask })
    ),
  );
}

async function keysIn(inside: TestDatabase): Promise<string[]> {
  const rows = await inside.query<{ key: string }>(
    "SELECT DISTINCT key_id AS key FROM (SELECT key_id FROM maskline.vault UNION SELECT key_id FROM maskline.rejected) AS keys ORDER BY 1",
  );
  return rows.map(({ key }) => key);
}

Deno.test("rotate run --vault re-seals all entries and bodies when there are thousands", async () => {
  const bodies = Array.from({ length: 50 }, (_, index) => `{"zq-body": ${index}}`);
  bodies.push("zq-".repeat(100_000), "");
  await using rotating = await startRotating(2500, bodies);
  const { inside, keys, settings, logins } = rotating;
  const masks = () =>
    inside.query("SELECT field, mask, first_seen, last_seen FROM maskline.vault ORDER BY 1, 2");
  const before = await masks();
  await using roles = await createLogins(server, inside);
  const { code, out, err } = await command(RUN_VAULT, {
    ...settings,
    DATABASE_URL: roles.url("custodian"),
  });
  const shown = `${before.length.toLocaleString("en")} entries, 52 bodies, 0 skipped`;
  deepStrictEqual([code, out], [0, `vault v1 → v2: ${shown}\n`]);
  deepStrictEqual(await masks(), before);
  deepStrictEqual(await keysIn(inside), ["v2"]);
  // The new key alone opens all of it.
  deepStrictEqual(await openedLogins(inside, [keys.new]), logins.toSorted(byUser));
  deepStrictEqual((await bodiesIn(inside, [keys.new])).sort(), bodies.toSorted());
  const audit = await auditOf(inside);
  deepStrictEqual(audit.map(({ action, detail }) => [action, detail]), [
    ["rotate", "vault v1 → v2: begins"],
    ["rotate", `vault v1 → v2: ${before.length} entries, 52 bodies, 0 skipped`],
  ]);
  expectNoLogin(out, err, audit);
  await inside.drop();
});

Deno.test("rotate run --vault continues when it was interrupted", async () => {
  await using rotating = await startRotating(1500, Array.from({ length: 40 }, () => "zq-body"));
  const { inside, keys, settings, logins } = rotating;
  await inside.query(`CREATE SEQUENCE fuse;
    CREATE FUNCTION burn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM CASE WHEN nextval('fuse') IN (2, 5) THEN pg_terminate_backend(pg_backend_pid()) END;
      RETURN NULL;
    END $$`);
  for (const table of ["vault", "rejected"]) {
    await inside.query(
      `CREATE TRIGGER fuse AFTER UPDATE ON maskline.${table} FOR EACH STATEMENT EXECUTE FUNCTION burn()`,
    );
  }
  const ends: number[] = [];
  while (ends.at(-1) !== 0 && ends.length < 5) ends.push((await command(RUN_VAULT, settings)).code);
  deepStrictEqual(ends, [1, 1, 0]);
  deepStrictEqual(await keysIn(inside), ["v2"]);
  deepStrictEqual(await openedLogins(inside, [keys.new]), logins.toSorted(byUser));
  strictEqual((await bodiesIn(inside, [keys.new])).length, 40);
});

Deno.test("rotate run --vault skips and reports values that do not open, and leaves bodies empty when they were erased", async () => {
  await using rotating = await startRotating(20, ["zq-1", "zq-2", "zq-3"]);
  const { inside, settings } = rotating;
  const older = await createTestKeys("k1", "v0");
  await insertOriginals(inside, older, [{ field: "ip", original: "203.0.113.1" }]);
  await inside.query(
    "UPDATE maskline.vault SET sealed = set_byte(sealed, 95, get_byte(sealed, 95) # 1) WHERE mask = (SELECT masked_ip FROM user_logins WHERE user_id = 'zq-user-1')",
  );
  await inside.query("UPDATE maskline.rejected SET sealed = '' WHERE message_id = 'message-v1-0'");
  await inside.query(
    "UPDATE maskline.rejected SET sealed = (SELECT sealed FROM maskline.rejected WHERE message_id = 'message-v1-2') WHERE message_id = 'message-v1-1'",
  );
  const { code, out, err } = await command(RUN_VAULT, settings);
  strictEqual(code, 1);
  match(out, /^vault v1 → v2: 39 entries, 1 bodies, 3 skipped\n$/);
  match(err, /1 vault entries that are sealed to the vault key v0, which is not in VAULT_PRIVATE/);
  match(err, /1 vault entries that do not open with the vault key v1/);
  match(err, /1 rejected bodies that do not open with the vault key v1/);
  expectNoLogin(out, err, await auditOf(inside));
  strictEqual(
    (await inside.query("SELECT FROM maskline.rejected WHERE sealed = ''")).length,
    1,
  );
});

Deno.test("rotate run --vault skips the values that it cannot open when the old private key is missing or a different one", async () => {
  await using rotating = await startRotating(10);
  const { inside, keys, settings } = rotating;
  const stranger = await createTestKeys("k1", "v1");
  const own = textOf(keys.new.privateKey);
  for (const VAULT_PRIVATE_KEY of [own, `${own},${textOf(stranger.privateKey)}`]) {
    const { code, out } = await command(RUN_VAULT, { ...settings, VAULT_PRIVATE_KEY });
    strictEqual(code, 1);
    match(out, /: 0 entries, 0 bodies, 20 skipped\n$/);
  }
  deepStrictEqual(await keysIn(inside), ["v1"]);
});

const refused: [
  what: string,
  key: (keys: { old: TestKeys; new: TestKeys }) => string,
  err: RegExp,
][] = [
  [
    "is missing",
    ({ old }) => textOf(old.privateKey),
    /VAULT_PRIVATE_KEY: expected the private half of VAULT_PUBLIC_KEY among its keys, got no v2\n/,
  ],
  [
    "does not belong to it",
    ({ old }) => textOf({ ...old.privateKey, id: "v2" }),
    /VAULT_PRIVATE_KEY: its v2 is not the private half of VAULT_PUBLIC_KEY/,
  ],
];
for (const [what, key, message] of refused) {
  Deno.test(`rotate run --vault does nothing when the private half of the new key ${what}`, async () => {
    await using rotating = await startRotating(10);
    const { inside, keys, settings } = rotating;
    const { code, out, err } = await command(RUN_VAULT, {
      ...settings,
      VAULT_PRIVATE_KEY: key(keys),
    });
    deepStrictEqual([code, out], [2, ""]);
    match(err, message);
    deepStrictEqual([await keysIn(inside), await auditOf(inside)], [["v1"], []]);
  });
}

Deno.test("rotate run --vault refuses when a rotation of the mask key is in progress", async () => {
  await using rotating = await startRotating(10);
  const { inside, settings } = rotating;
  await using other = await openSession(inside.url);
  await other.query("SELECT pg_advisory_lock(1919906913)");
  const { code, err } = await command(RUN_VAULT, settings);
  const busy = "Another rotation is in progress on this database; wait until it ends\n";
  deepStrictEqual([code, err], [1, busy]);
});
