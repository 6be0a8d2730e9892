import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { fakeIo } from "../support/fake_io.ts";
import { auditOf, booksOf, forget, forgetUser, rowsOf } from "../support/forgetting.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { type ClearLogin, fillVault } from "../support/filled_vault.ts";

const server = await sharedPostgres();

const OFFICE = "203.0.113.7";
const V6 = "2001:db8::7";

/** Ann has two devices and three addresses; she shares one address with Bob and Cem. */
const people: readonly ClearLogin[] = [
  { user: "zq:ann", ip: OFFICE, device: "zq:phone" },
  { user: "zq:ann", ip: OFFICE, device: "zq:laptop" },
  { user: "zq:ann", ip: V6, device: "zq:phone" },
  { user: "zq:ann", ip: "198.51.100.1", device: "zq:phone" },
  { user: "zq:bob", ip: OFFICE, device: "zq:bobs" },
  { user: "zq:bob", ip: OFFICE, device: "zq:bobs" },
  { user: "zq:cem", ip: OFFICE, device: null },
];

/** The originals that remain after Ann was forgotten. */
const OTHERS = ["device_id zq:bobs", `ip ${OFFICE}`];

Deno.test("forget removes the originals of a person, except those that others have too, when the person is found", async () => {
  await using filled = await fillVault(server, people);
  const before = await rowsOf(filled);
  const { code, lines, err } = await forgetUser(filled, "zq:ann");
  const ip = (original: string) => filled.maskOf("ip", original);
  const device = (original: string) => filled.maskOf("device_id", original);
  strictEqual(code, 0);
  deepStrictEqual(
    [...lines].sort(),
    [
      "4 rows stay unchanged, with masks",
      `device_id ${device("zq:laptop")} is removed`,
      `device_id ${device("zq:phone")} is removed`,
      `ip ${ip("198.51.100.1")} is removed`,
      `ip ${ip(V6)} is removed`,
      `ip ${ip(OFFICE)} stays: 2 other users have it too`,
    ].sort(),
  );
  deepStrictEqual(await filled.originals(), OTHERS);
  deepStrictEqual(await rowsOf(filled), before);
  match(err, /rejected messages/);
  match(err, /backups/);
  match(err, /can be linked/);
});

Deno.test("forget records each removed mask and the counts, and not the person, in the audit log when rows are deleted", async () => {
  await using filled = await fillVault(server, people);
  await forgetUser(filled, "zq:ann", "--rows", "delete", "--ticket", "GDPR-7");
  const entries = await auditOf(filled);
  const detail = "one person; originals: 4 removed, 1 shared, 0 not kept; rows: 4 delete";
  for (const entry of entries) {
    const { action, reason, ticket, os_user } = entry;
    deepStrictEqual(
      { action, reason, ticket, os_user, detail: entry.detail },
      { action: "forget", reason: "asked for it", ticket: "GDPR-7", os_user: "tester", detail },
    );
  }
  deepStrictEqual(
    entries.map(({ field, mask }) => `${field} ${mask}`).sort(),
    [
      `device_id ${filled.maskOf("device_id", "zq:laptop")}`,
      `device_id ${filled.maskOf("device_id", "zq:phone")}`,
      `ip ${filled.maskOf("ip", "198.51.100.1")}`,
      `ip ${filled.maskOf("ip", V6)}`,
    ].sort(),
  );
});

Deno.test("forget --rows delete deletes rows, which the counters show, and removes a shared original with its last row", async () => {
  await using filled = await fillVault(server, people);
  const { lines } = await forgetUser(filled, "zq:ann", "--rows", "delete");
  strictEqual(lines.at(-1), "4 rows are deleted");
  deepStrictEqual(await booksOf(filled), [
    "the ledger has 7 committed and 0 rejected messages",
    "4 rows were removed on purpose",
  ]);
  await forgetUser(filled, "zq:cem", "--rows", "delete");
  deepStrictEqual(await filled.originals(), OTHERS);
  const last = await forgetUser(filled, "zq:bob", "--rows", "delete");
  ok(last.lines.includes(`ip ${filled.maskOf("ip", OFFICE)} is removed`));
  deepStrictEqual(await filled.originals(), []);
  deepStrictEqual(await rowsOf(filled), []);
  strictEqual((await booksOf(filled))[1], "7 rows were removed on purpose");
});

Deno.test("forget --rows anonymise keeps rows without the person and the masks when columns may be null", async () => {
  await using filled = await fillVault(server, people);
  const { code, lines, err } = await forgetUser(filled, "zq:ann", "--rows", "anonymise");
  deepStrictEqual([code, lines.at(-1)], [0, "4 rows stay, without the person and the masks"]);
  doesNotMatch(err, /can be linked/);
  const found = await filled.rows.query(
    `SELECT count(*)::integer, user_id, masked_ip, masked_device_id, device_type, locale, app_version
      FROM user_logins WHERE user_id IS NULL GROUP BY 2, 3, 4, 5, 6, 7`,
  );
  deepStrictEqual(found, [{
    count: 4,
    user_id: null,
    masked_ip: null,
    masked_device_id: null,
    device_type: "android",
    locale: "DE",
    app_version: 1_002_003,
  }]);
  deepStrictEqual(await booksOf(filled), ["the ledger has 7 committed and 0 rejected messages"]);
  deepStrictEqual(await filled.originals(), OTHERS);
});

Deno.test("forget --rows anonymise stores a unique text when a column must not be null", async () => {
  await using filled = await fillVault(
    server,
    people.map(({ device, ...rest }) => ({
      ...rest,
      device: device ?? "zq:one",
    })),
  );
  await filled.rows.query(
    `ALTER TABLE user_logins ALTER user_id SET NOT NULL, ALTER masked_device_id SET NOT NULL`,
  );
  strictEqual((await forgetUser(filled, "zq:ann", "--rows", "anonymise")).code, 0);
  const found = await filled.rows.query<Record<string, string | null>>(
    "SELECT user_id, masked_ip, masked_device_id FROM user_logins WHERE masked_ip IS NULL",
  );
  const texts = found.flatMap(({ user_id, masked_device_id }) => [user_id, masked_device_id]);
  for (const text of texts) match(text ?? "", /^forgotten-[0-9a-f-]{36}$/);
  deepStrictEqual([found.length, new Set(texts).size], [4, 8]);
});

for (const mode of [[], ["--rows", "delete"], ["--rows", "anonymise"]]) {
  Deno.test(`forget --dry-run prints what the real run does and changes nothing when ${mode.join(" ") || "rows stay"}`, async () => {
    await using filled = await fillVault(server, people);
    await filled.bring([{ user: "zq:ann", ip: "198.51.100.2" }], { vault: false });
    const before = [await rowsOf(filled), await filled.originals()];
    const dry = await forgetUser(filled, "zq:ann", "--dry-run", ...mode);
    strictEqual(dry.err, "A dry run: nothing was changed\n");
    deepStrictEqual([await rowsOf(filled), await filled.originals()], before);
    const [entry, ...more] = await auditOf(filled);
    deepStrictEqual([entry?.action, entry?.field, entry?.mask], ["forget", null, null]);
    match(entry?.detail ?? "", /^dry run; one person; originals: 4 removed, 1 shared, 1 not kept/);
    deepStrictEqual(more, []);
    const real = await forgetUser(filled, "zq:ann", ...mode);
    deepStrictEqual([dry.code, dry.lines], [real.code, real.lines]);
    deepStrictEqual(await filled.originals(), OTHERS);
  });
}

Deno.test("forget prints which masks had no original, and records the run, when it removes none", async () => {
  await using filled = await fillVault(server);
  await filled.bring([{ user: "zq:ann", ip: OFFICE }], { vault: false });
  const { code, lines } = await forgetUser(filled, "zq:ann");
  strictEqual(code, 0);
  deepStrictEqual(lines, [
    `ip ${filled.maskOf("ip", OFFICE)} has no original`,
    "1 row stays unchanged, with masks",
  ]);
  strictEqual((await auditOf(filled)).length, 1);
});

Deno.test("forget fails, reports it and records it when no row names the person", async () => {
  await using filled = await fillVault(server, people);
  const before = await filled.originals();
  for (const args of [["--dry-run"], ["--rows", "delete"], []]) {
    const { code, lines, err } = await forgetUser(filled, "zq:nobody", ...args);
    deepStrictEqual([code, lines, err], [1, [], "No row names that person: nothing was changed\n"]);
  }
  deepStrictEqual(await filled.originals(), before);
  strictEqual((await auditOf(filled)).length, 3);
});

Deno.test("forget prints and records no value when another client stored it in clear in a masked column", async () => {
  await using filled = await fillVault(server, people);
  await filled.rows.query(
    "INSERT INTO user_logins (user_id, masked_ip) VALUES ('zq:ann', 'zq:in-clear')",
  );
  const { lines } = await forgetUser(filled, "zq:ann", "--rows", "delete");
  deepStrictEqual(lines.slice(-2), [
    "1 value in the masked columns: not masks of Maskline",
    "5 rows are deleted",
  ]);
  strictEqual((await rowsOf(filled)).length, 3);
});

Deno.test("forget counts rows without a user as another user when they have the mask", async () => {
  await using filled = await fillVault(server, people.slice(0, 1));
  await filled.rows.query("INSERT INTO user_logins (masked_ip) VALUES ($1), ($1)", [
    filled.maskOf("ip", OFFICE),
  ]);
  const { lines } = await forgetUser(filled, "zq:ann");
  ok(lines.includes(`ip ${filled.maskOf("ip", OFFICE)} stays: 1 other user has it too`));
  deepStrictEqual(await filled.originals(), [`ip ${OFFICE}`]);
});

Deno.test("forget accepts an id unchanged when it has quotes, a line end and characters beyond ASCII", async () => {
  const user = `zq' OR 'a'='a"; -- \\ é📱`;
  await using filled = await fillVault(server, [...people, { user, ip: V6, device: "zq:x" }]);
  const { lines } = await forget(filled, ["--user", "-", "--rows", "delete"], `${user}\r\n`);
  strictEqual(lines.at(-1), "1 row is deleted");
  strictEqual((await rowsOf(filled)).length, people.length);
  // NFC and NFD are two ids: the contract does not normalize them.
  strictEqual((await forgetUser(filled, user.normalize("NFD"))).code, 1);
});

Deno.test("forget --user accepts an id when it is in the argument list", async () => {
  await using filled = await fillVault(server, people);
  strictEqual((await forget(filled, ["--user=zq:bob"])).code, 0);
  ok(!(await filled.originals()).includes("device_id zq:bobs"));
});

Deno.test("forget --mask removes one original, and prints how many rows of how many users have the mask, when it exists", async () => {
  await using filled = await fillVault(server, people);
  const mask = filled.maskOf("ip", OFFICE);
  const one = ["--field", "ip", "--mask", mask];
  const expected = [`ip ${mask} is removed`, "5 rows of 3 users have the mask and stay"];
  const dry = await forget(filled, [...one, "--dry-run"]);
  deepStrictEqual([dry.code, dry.lines], [0, expected]);
  strictEqual((await filled.originals()).length, 6);
  const real = await forget(filled, one);
  deepStrictEqual([real.code, real.lines], [0, expected]);
  strictEqual((await filled.originals()).length, 5);
  ok(!(await filled.originals()).includes(`ip ${OFFICE}`));
  const again = await forget(filled, one);
  deepStrictEqual([again.code, again.lines[0]], [1, `ip ${mask} has no original`]);
  const entries = await auditOf(filled);
  deepStrictEqual(entries.map((entry) => [entry.field, entry.mask]), Array(3).fill(["ip", mask]));
  deepStrictEqual(entries.map(({ detail }) => detail), [
    "dry run; one mask; 1 removed; 5 rows have it",
    "one mask; 1 removed; 5 rows have it",
    "one mask; 0 removed; 5 rows have it",
  ]);
});

Deno.test("forget changes nothing when the mask key is being rotated", async () => {
  await using filled = await fillVault(server, people);
  await filled.vault.query("INSERT INTO maskline.rotation VALUES ('ip', 'k1.a', 'k2.b')");
  const { code, err } = await forgetUser(filled, "zq:ann");
  deepStrictEqual([code, err], [
    1,
    "The mask key is being rotated: finish `maskline rotate run` first. Nothing was changed\n",
  ]);
  strictEqual((await filled.originals()).length, 6);
});

Deno.test("forget accepts a reason when it has a short id by chance, or an id inside a word", async () => {
  await using filled = await fillVault(server, [
    { user: "712", ip: OFFICE },
    { user: "4711", ip: V6 },
  ]);
  for (const user of ["712", "4711"]) {
    const io = fakeIo({ stdin: user, settings: filled.settings });
    const why = ["--reason", "ticket 712, room x4711b"];
    strictEqual(await main(["forget", "--user", "-", ...why], io), 0);
  }
});
