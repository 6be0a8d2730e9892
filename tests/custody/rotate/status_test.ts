import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { createTestKeys, insertOriginals, textOf } from "../../support/kept_originals.ts";
import { createLogins } from "../../support/logins.ts";
import {
  command,
  createRotating,
  expectNoLogin,
  insertBodies,
  insertShared,
  RUN,
  sharedLogins,
  vaultRotationSettings,
} from "../../support/rotating.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";

const server = await sharedPostgres();
const logins = sharedLogins(20);

async function statusJson(settings: Record<string, string>): Promise<Record<string, unknown>> {
  const { code, out, err } = await command(["rotate", "status", "--json"], settings);
  deepStrictEqual([code, err], [0, ""]);
  expectNoLogin(out);
  return JSON.parse(out);
}

Deno.test("rotate status counts rows, entries and bodies by key when there are two keys", async () => {
  await using rotating = await createRotating(server, logins);
  const { inside, keys, settings } = rotating;
  const { publicKey } = keys.old;
  await insertShared(inside, { ...keys.new, publicKey }, [{
    user: "zq-late",
    ip: "198.18.77.1",
    device: "zq-late",
  }]);
  await insertBodies(inside, keys.old, ["zq-1", "zq-2"]);
  await insertBodies(inside, keys.new, ["zq-3"]);
  await inside.query("UPDATE maskline.rejected SET sealed = '' WHERE message_id = 'message-v1-1'");
  deepStrictEqual(await statusJson(settings), {
    mask_keys: ["k2", "k1"],
    vault_key: "v1",
    in_progress: false,
    rows: [
      { field: "device_id", mask_key: "k1", rows: 20, without_original: 0 },
      { field: "device_id", mask_key: "k2", rows: 1, without_original: 0 },
      { field: "ip", mask_key: "k1", rows: 20, without_original: 0 },
      { field: "ip", mask_key: "k2", rows: 1, without_original: 0 },
    ],
    vault: [
      { field: "device_id", mask_key: "k1", vault_key: "v1", entries: 20 },
      { field: "device_id", mask_key: "k2", vault_key: "v1", entries: 1 },
      { field: "ip", mask_key: "k1", vault_key: "v1", entries: 20 },
      { field: "ip", mask_key: "k2", vault_key: "v1", entries: 1 },
    ],
    rejected: [{ vault_key: "v1", bodies: 1 }, { vault_key: "v2", bodies: 1 }],
    left_to_do: [
      "`maskline rotate run` has 40 entries and 40 masks in rows to move to k2",
      "`maskline rotate run --vault` has 1 sealed values to move to v1",
    ],
  });
});

Deno.test("rotate status reports what a rotation cannot change when originals or keys are missing", async () => {
  await using rotating = await createRotating(server, logins);
  const { inside, keys, settings } = rotating;
  const older = await createTestKeys("k0", "v1");
  await insertOriginals(inside, { ...older, publicKey: keys.old.publicKey }, [
    { field: "ip", original: "203.0.113.1" },
  ]);
  await inside.query(
    "DELETE FROM maskline.vault WHERE mask IN (SELECT masked_ip FROM user_logins WHERE user_id IN ('zq-user-1', 'zq-user-2'))",
  );
  const { rows, left_to_do: todo } = await statusJson(settings);
  ok(Array.isArray(rows) && Array.isArray(todo));
  deepStrictEqual(rows[1], { field: "ip", mask_key: "k1", rows: 20, without_original: 2 });
  deepStrictEqual(todo, [
    "`maskline rotate run` has 38 entries and 38 masks in rows to move to k2",
    "2 masks in rows keep their old key: their originals are not in the vault (forgotten, or " +
    "stored with VAULT=off)",
    "The mask key k0 is not in MASK_KEY: the masks that it computed stay unchanged",
  ]);
});

Deno.test("rotate status shows no part of a value when it is not a mask", async () => {
  await using rotating = await createRotating(server, logins);
  const { inside, settings } = rotating;
  for (const value of ["198.18.0.1", "zq.secret", "zq1.", `k1.${"A".repeat(44)}`, ""]) {
    await inside.query("INSERT INTO user_logins (user_id, masked_ip) VALUES ('zq', $1)", [value]);
  }
  const { rows } = await statusJson(settings);
  ok(Array.isArray(rows));
  deepStrictEqual(rows.find(({ mask_key: key }) => key === null), {
    field: "ip",
    mask_key: null,
    rows: 5,
    without_original: 0,
  });
  const { out } = await command(["rotate", "status"], settings);
  match(out, /^ {12}5 {2}rows, ip: not a mask of Maskline$/m);
  expectNoLogin(out);
});

Deno.test("rotate status reports that nothing is left when all is done, and a rotation when it has begun", async () => {
  await using rotating = await createRotating(server, logins);
  const { inside, settings, keys } = rotating;
  strictEqual((await command(RUN, settings)).code, 0);
  const { out } = await command(["rotate", "status"], settings);
  match(out, /^ {11}20 {2}rows, device_id: mask key k2\n/);
  match(out, /\nNothing is left to rotate\n$/);
  await inside.query("INSERT INTO maskline.rotation VALUES ('ip', 'k1.old', 'k2.new')");
  const begun = await command(["rotate", "status"], {
    ...settings,
    ...vaultRotationSettings(keys),
  });
  match(begun.out, /\nA rotation of the mask key has begun: run it again until it ends\n/);
  match(begun.out, /\n`maskline rotate run --vault` has 40 sealed values to move to v2\n$/);
});

Deno.test("rotate status works without a private key when the role is a custodian, and is refused when it is a reader", async () => {
  await using rotating = await createRotating(server, logins);
  const { inside, settings, keys } = rotating;
  await using roles = await createLogins(server, inside);
  const { code } = await command(["rotate", "status"], {
    DATABASE_URL: roles.url("custodian"),
    MASK_KEY: textOf(keys.new.maskKey),
  });
  strictEqual(code, 0);
  const refused = await command(["rotate", "status"], {
    ...settings,
    DATABASE_URL: roles.url("reader"),
  });
  deepStrictEqual([refused.code, refused.out], [1, ""]);
  await inside.drop();
});
