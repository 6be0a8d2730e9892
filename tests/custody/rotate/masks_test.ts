import { deepStrictEqual, match, strictEqual } from "node:assert";
import { main } from "../../../lib/cli/main.ts";
import { fakeIo } from "../../support/fake_io.ts";
import { createTestKeys, insertOriginals, textOf } from "../../support/kept_originals.ts";
import { createLogins } from "../../support/logins.ts";
import { openSession } from "../../support/open_session.ts";
import {
  auditOf,
  byUser,
  command,
  createGenerations,
  createRotating as startRotating,
  expectNoLogin,
  groupsOf,
  insertShared,
  masksByKey,
  openedLogins,
  rotationSettings,
  RUN,
  sharedLogins,
  stepsIn,
} from "../../support/rotating.ts";
import { sharedPostgres } from "../../support/shared_postgres.ts";
import { createStore } from "../../support/test_store.ts";

const server = await sharedPostgres();
const logins = sharedLogins(60);
const createRotating = () => startRotating(server, logins);

Deno.test("rotate run moves rows and vault to the first key, and equal values stay equal, when there are two keys", async () => {
  await using rotating = await createRotating();
  const { inside, settings, keys } = rotating;
  const before = await groupsOf(inside);
  const { vault: { k1: entries = 0 } } = await masksByKey(inside);
  const { code, out, err } = await command([...RUN, "--ticket", "OPS-7"], settings);
  const counts = `${entries} entries, 60 rows, ${entries} old entries removed, 0 skipped`;
  deepStrictEqual([code, out], [0, `mask k1 → k2: ${counts}\n`]);
  strictEqual(
    err,
    `1 of 3, vault…\n1 of 3, vault: ${entries} entries stored under new masks\n` +
      `2 of 3, rows…\n2 of 3, rows: 60 rows changed\n` +
      `3 of 3, old entries…\n3 of 3, old entries: ${entries} removed\n`,
  );
  deepStrictEqual(await groupsOf(inside), before);
  deepStrictEqual(await masksByKey(inside), { rows: { k2: 120 }, vault: { k2: entries } });
  deepStrictEqual(await openedLogins(inside, [keys.old]), logins.toSorted(byUser));
  strictEqual(await stepsIn(inside), 0);
  const entry = { action: "rotate", field: null, mask: null, reason: "yearly", ticket: "OPS-7" };
  const audit = await auditOf(inside);
  deepStrictEqual(audit, [
    { ...entry, os_user: "tester", detail: "mask k1 → k2: begins" },
    { ...entry, os_user: "tester", detail: `mask k1 → k2: ${counts}` },
  ]);
  expectNoLogin(out, err, audit);
});

Deno.test("rotate run changes nothing when everything was rotated before", async () => {
  await using rotating = await createRotating();
  const { inside, settings } = rotating;
  await command(RUN, settings);
  const before = await inside.query("SELECT * FROM user_logins ORDER BY user_id");
  const { code, out } = await command(RUN, settings);
  deepStrictEqual(
    [code, out],
    [0, "mask k1 → k2: 0 entries, 0 rows, 0 old entries removed, 0 skipped\n"],
  );
  deepStrictEqual(await inside.query("SELECT * FROM user_logins ORDER BY user_id"), before);
});

Deno.test("rotate run changes nothing but the masks of a row, and no NULL, when it changes rows", async () => {
  await using rotating = await createRotating();
  const { inside, settings } = rotating;
  await inside.query("UPDATE user_logins SET masked_ip = NULL WHERE user_id = 'zq-user-1'");
  const others =
    `SELECT user_id, device_type, locale, app_version, create_date::text, masked_ip IS NULL AS none
      FROM user_logins ORDER BY user_id`;
  const before = await inside.query(others);
  strictEqual((await command(RUN, settings)).code, 0);
  deepStrictEqual(await inside.query(others), before);
  deepStrictEqual((await masksByKey(inside)).rows, { k2: 119 });
});

Deno.test("rotate run keeps the first and last day, and replaces the entry, when another client stored one under a new mask", async () => {
  await using rotating = await createRotating();
  const { inside, settings, keys } = rotating;
  // A client that can write to the vault stores its own value under the new mask of another value.
  const [{ ip = "" } = {}] = logins;
  const [newMask] = await insertOriginals(inside, keys.new, [{ field: "ip", original: ip }]);
  await inside.query("DELETE FROM maskline.vault WHERE mask = $1", [newMask]);
  await insertOriginals(inside, { ...keys.new, publicKey: keys.old.publicKey }, [
    { field: "ip", original: "203.0.113.99", mask: newMask ?? "" },
  ]);
  strictEqual((await command(RUN, settings)).code, 0);
  deepStrictEqual(await openedLogins(inside, [keys.old]), logins.toSorted(byUser));
  const { vault: { k2: entries = 0 } } = await masksByKey(inside);
  deepStrictEqual(
    await inside.query(
      `SELECT current_date - first_seen AS first, current_date - last_seen AS last, count(*)::integer
        FROM maskline.vault GROUP BY 1, 2 ORDER BY 3`,
    ),
    [
      { first: 9, last: 0, count: 1 },
      { first: 9, last: 1, count: entries - 1 },
    ],
  );
});

Deno.test("rotate run merges two entries into one when two old keys computed masks of one value", async () => {
  await using rotating = await createRotating();
  const { inside, settings, keys } = rotating;
  const older = await createTestKeys("k0", "v1");
  const [{ ip, device } = { ip: "", device: "" }] = logins;
  const { publicKey } = keys.old;
  await insertShared(inside, { ...older, publicKey }, [{ ip, device, user: "zq-early" }]);
  const ring = { ...settings, MASK_KEY: `${settings["MASK_KEY"]},${textOf(older.maskKey)}` };
  const { code, out } = await command(RUN, ring);
  strictEqual(code, 0);
  match(out, /^mask k1, k0 → k2: .* 61 rows/);
  const [early] = await inside.query<{ shared: number }>(
    `SELECT count(*)::integer AS shared FROM user_logins AS one JOIN user_logins AS other
      USING (masked_ip, masked_device_id)
      WHERE one.user_id = 'zq-early' AND other.user_id = 'zq-user-0'`,
  );
  strictEqual(early?.shared, 1);
});

Deno.test("rotate run skips and reports the entries that it cannot verify, and rotates the others", async () => {
  await using rotating = await createRotating();
  const { inside, settings, keys } = rotating;
  const { publicKey } = keys.old;
  const lost = await createTestKeys("k0", "v0");
  const poisoned = await inside.query<{ mask: string }>(
    "DELETE FROM maskline.vault WHERE field = 'ip' AND mask = (SELECT masked_ip FROM user_logins WHERE user_id = 'zq-user-10') RETURNING mask",
  );
  const changed = await inside.query<{ mask: string }>(
    "SELECT masked_ip AS mask FROM user_logins WHERE user_id = 'zq-user-20'",
  );
  await insertOriginals(inside, keys.old, [
    { field: "ip", original: "203.0.113.99", mask: poisoned[0]?.mask ?? "" },
  ]);
  await inside.query(
    "UPDATE maskline.vault SET sealed = set_byte(sealed, 95, get_byte(sealed, 95) # 1) WHERE mask = $1",
    [changed[0]?.mask],
  );
  await insertOriginals(inside, { maskKey: lost.maskKey, publicKey }, [
    { field: "ip", original: "203.0.113.1" },
  ]);
  await insertOriginals(inside, { maskKey: keys.old.maskKey, publicKey: lost.publicKey }, [
    { field: "ip", original: "203.0.113.2" },
  ]);
  await insertOriginals(inside, keys.old, [{ field: "ip", original: "zq-1", mask: "zq-no-mask" }]);
  const { code, out, err } = await command(RUN, settings);
  strictEqual(code, 1);
  match(out, /, 5 skipped\n$/);
  for (
    const line of [
      /^Skipped: 1 vault entries that open, but the key k1 computes another mask of them/m,
      /^Skipped: 1 vault entries that do not open with the vault key v1/m,
      /^Skipped: 1 vault entries that have masks of the key k0, which is not in MASK_KEY/m,
      /^Skipped: 1 vault entries that are sealed to the vault key v0, which is not in VAULT_PRIVATE_KEY/m,
      /^Skipped: 1 vault entries that are stored under a text that is not a mask/m,
      /2 rows keep a mask of k1 in the field ip: they were stored meanwhile, or their original was skipped/,
    ]
  ) match(err, line);
  expectNoLogin(out, err, await auditOf(inside));
  const kept = await inside.query<{ mask: string }>(
    "SELECT mask FROM maskline.vault WHERE split_part(mask, '.', 1) <> 'k2'",
  );
  strictEqual(kept.length, 5);
  strictEqual(await stepsIn(inside), 0);
});

Deno.test("rotate run reports the rows and does not change them when their original was forgotten", async () => {
  await using rotating = await createRotating();
  const { inside, settings } = rotating;
  await inside.query(
    "DELETE FROM maskline.vault WHERE mask IN (SELECT masked_ip FROM user_logins WHERE user_id IN ('zq-user-10', 'zq-user-20'))",
  );
  const { code, err } = await command(RUN, settings);
  strictEqual(code, 0);
  match(err, /^2 rows keep a mask of k1 in the field ip: the vault has no original for it/m);
  deepStrictEqual((await masksByKey(inside)).rows, { k1: 2, k2: 118 });
});

Deno.test("rotate run refuses when another rotation is in progress", async () => {
  await using rotating = await createRotating();
  const { inside, settings } = rotating;
  await using other = await openSession(inside.url);
  await other.query("SELECT pg_advisory_lock(1919906913)");
  const { code, out, err } = await command(RUN, settings);
  const busy = "Another rotation is in progress on this database; wait until it ends\n";
  deepStrictEqual([code, out, err], [1, "", busy]);
  deepStrictEqual(await auditOf(inside), []);
  await other.end();
  strictEqual((await command(RUN, settings)).code, 0);
});

Deno.test("rotate run ends between two pages when it is stopped, and continues when it is run again", async () => {
  await using rotating = await createRotating();
  const { inside, settings, keys } = rotating;
  for (const phase of ["1 of 3", "2 of 3", "3 of 3"]) {
    const stopping = new AbortController();
    const io = fakeIo({ settings });
    const code = await main(RUN, {
      ...io,
      signal: stopping.signal,
      err(text) {
        if (text.startsWith(`${phase},`)) stopping.abort();
        io.err(text);
      },
    });
    strictEqual(code, 1);
    match(
      io.written.err,
      /Stopped: what is done stays done\. Run the command again to continue\n$/,
    );
    deepStrictEqual(await openedLogins(inside, [keys.old]), logins.toSorted(byUser));
  }
  strictEqual((await command(RUN, settings)).code, 0);
  deepStrictEqual(Object.keys((await masksByKey(inside)).rows), ["k2"]);
});

Deno.test("rotate run changes both databases when the vault is in a database of its own", async () => {
  await using rows = await createStore(server);
  await using vault = await createStore(server);
  const keys = await createGenerations();
  await insertShared(rows.inside, keys.old, logins, vault.inside);
  const before = await groupsOf(rows.inside);
  const { code } = await command(RUN, {
    ...rotationSettings(keys),
    DATABASE_URL: rows.inside.url,
    VAULT_DATABASE_URL: vault.inside.url,
  });
  strictEqual(code, 0);
  deepStrictEqual(await groupsOf(rows.inside), before);
  deepStrictEqual(
    await openedLogins(rows.inside, [keys.old], vault.inside),
    logins.toSorted(byUser),
  );
  const { rows: masks, vault: entries } = await masksByKey(rows.inside, vault.inside);
  deepStrictEqual([Object.keys(masks), Object.keys(entries)], [["k2"], ["k2"]]);
  deepStrictEqual([(await auditOf(rows.inside)).length, (await auditOf(vault.inside)).length], [
    0,
    2,
  ]);
});

Deno.test("rotate run changes every partition when the target table has partitions", async () => {
  await using store = await createStore(server);
  const { inside } = store;
  const keys = await createGenerations();
  await inside.query("ALTER TABLE user_logins RENAME TO plain");
  await inside.query(
    "CREATE TABLE user_logins (LIKE plain) PARTITION BY HASH (user_id)",
  );
  for (const part of [0, 1, 2]) {
    await inside.query(
      `CREATE TABLE part_${part} PARTITION OF user_logins FOR VALUES WITH (MODULUS 3, REMAINDER ${part})`,
    );
  }
  await insertShared(inside, keys.old, logins);
  const settings = { ...rotationSettings(keys), DATABASE_URL: inside.url };
  strictEqual((await command(RUN, settings)).code, 0);
  deepStrictEqual((await masksByKey(inside)).rows, { k2: 120 });
});

Deno.test("rotate run works when the role is a custodian, and changes nothing when it is a reader", async () => {
  await using rotating = await createRotating();
  const { inside, settings } = rotating;
  await using roles = await createLogins(server, inside);
  const refused = await command(RUN, { ...settings, DATABASE_URL: roles.url("reader") });
  deepStrictEqual([refused.code, refused.out], [1, ""]);
  match(refused.err, /42501/);
  deepStrictEqual(Object.keys((await masksByKey(inside)).rows), ["k1"]);
  const done = await command(RUN, { ...settings, DATABASE_URL: roles.url("custodian") });
  deepStrictEqual([done.code, Object.keys((await masksByKey(inside)).rows)], [0, ["k2"]]);
  await inside.drop();
});
