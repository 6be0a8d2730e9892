import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { layout } from "../../lib/vault/suite.ts";
import { createTestKeys, insertOriginals, textOf } from "../support/kept_originals.ts";
import { sharedPostgres } from "../support/shared_postgres.ts";
import { createVault, type Ended, type TestVault } from "../support/test_vault.ts";

const server = await sharedPostgres();

const WHY = ["--reason", "why"];

/** Creates a vault with two originals, and tampers with the first one. */
async function tampered(
  tamper: (vault: TestVault, mask: string, other: string) => Promise<unknown>,
): Promise<TestVault & { mask: string; good: string }> {
  const vault = await createVault(server);
  const [mask = "", good = ""] = await vault.insert([
    { field: "device_id", original: "zq7-bad" },
    { field: "device_id", original: "good" },
  ]);
  await tamper(vault, mask, good);
  return { ...vault, mask, good };
}

/** Checks that the first original is refused with this cause and not printed, and that the other is printed. */
async function refuses(
  vault: TestVault & { mask: string; good: string },
  cause: RegExp,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { mask, good } = vault;
  const stdin = `${mask}\n${good}\n`;
  const ended = await vault.run(["reveal", "device_id", "--stdin", ...WHY], { stdin, settings });
  deepStrictEqual([ended.code, ended.out], [1, `${good}\tgood\n`], ended.err);
  ok(ended.err.startsWith(`The original of device_id ${mask} is not shown. `), ended.err);
  match(ended.err, cause);
  match(ended.err, /^[\x20-\x7e]+\n$/);
  ok(!ended.err.includes("zq7"));
  await auditIsClean(vault);
}

/** Checks that the audit log has both masks, though one did not open, and nothing of an original. */
async function auditIsClean(vault: TestVault & { mask: string; good: string }): Promise<void> {
  deepStrictEqual((await vault.listAudit()).map(({ mask }) => mask), [vault.mask, vault.good]);
  const [text] = await vault.inside.query<{ audit: string }>(
    "SELECT string_agg(e::text, ' ') AS audit FROM maskline.reveal_audit e",
  );
  ok(text && !text.audit.includes("zq7") && !text.audit.includes("good"));
}

function setSealed(
  how: string,
): (vault: TestVault, mask: string, good: string) => Promise<unknown> {
  return ({ inside }, mask, good) =>
    inside.query(
      `UPDATE maskline.vault SET sealed = ${how} WHERE mask = $1 AND $2::text IS NOT NULL`,
      [mask, good],
    );
}

const { encapsulated, dataKey, nonce, ciphertext } = layout;
const flipped: readonly [what: string, at: string, cause: RegExp][] = [
  ["version", "0", /another layout, expected version 1/],
  ["encapsulated key", `${encapsulated.from + 3}`, /The vault key v1 does not open/],
  ["data key", `${dataKey.from}`, /The vault key v1 does not open/],
  ["data key's tag", `${dataKey.to - 1}`, /The vault key v1 does not open/],
  ["nonce", `${nonce.from}`, /was changed/],
  ["ciphertext", `${ciphertext.from}`, /was changed/],
  ["tag", "length(sealed) - 1", /was changed/],
];
for (const [what, at, cause] of flipped) {
  Deno.test(`reveal refuses an original when a bit of its ${what} is flipped`, async () => {
    const flip = `set_byte(sealed, ${at}, get_byte(sealed, ${at}) # 1)`;
    await using vault = await tampered(setSealed(flip));
    await refuses(vault, cause);
  });
}

const replaced: readonly [what: string, how: string, cause: RegExp][] = [
  ["is empty", "''", /another layout/],
  ["is one byte", "'\\x01'", /another layout/],
  ["ends within the nonce", "substring(sealed FOR 90)", /another layout/],
  ["lacks its last byte", "substring(sealed FOR length(sealed) - 1)", /was changed/],
  ["has a byte more", "sealed || '\\x00'::bytea", /was changed/],
  [
    "is that of another mask",
    "(SELECT sealed FROM maskline.vault WHERE mask = $2)",
    /is next to another field or mask/,
  ],
];
for (const [what, how, cause] of replaced) {
  Deno.test(`reveal refuses an original when the sealed value ${what}`, async () => {
    await using vault = await tampered(setSealed(how));
    await refuses(vault, cause);
  });
}

Deno.test("reveal refuses an original when its row was moved to another mask", async () => {
  const old = `k1.${"x".repeat(43)}`;
  await using vault = await tampered(({ inside }, mask) =>
    inside.query("UPDATE maskline.vault SET mask = $2 WHERE mask = $1", [mask, old])
  );
  await refuses({ ...vault, mask: old }, /is next to another field or mask/);
});

Deno.test("reveal refuses an original when its row was moved to another field", async () => {
  await using vault = await tampered(({ inside }, mask) =>
    inside.query("UPDATE maskline.vault SET field = 'ip' WHERE mask = $1", [mask])
  );
  const ended: Ended = await vault.run(["reveal", "ip", vault.mask, ...WHY]);
  deepStrictEqual([ended.code, ended.out], [1, ""]);
  match(ended.err, /^The original of ip k1\.\S+ is not shown\. .*is next to another field/);
});

Deno.test("reveal refuses an original when its key id is that of another key", async () => {
  const other = await createTestKeys("k9", "v2");
  await using vault = await tampered(({ inside }, mask) =>
    inside.query("UPDATE maskline.vault SET key_id = 'v2' WHERE mask = $1", [mask])
  );
  const both = [vault.keys, other].map(({ settings }) => settings.VAULT_PRIVATE_KEY).join(",");
  await refuses(vault, /The vault key v2 does not open/, { VAULT_PRIVATE_KEY: both });
});

Deno.test("reveal refuses an original when its key is not among the private keys", async () => {
  await using vault = await tampered(({ inside }, mask) =>
    inside.query("UPDATE maskline.vault SET key_id = 'v0' WHERE mask = $1", [mask])
  );
  await refuses(vault, /sealed to the vault key v0, expected one of the private keys \(v1\)/);
});

Deno.test("reveal does not repeat a key id when it has control characters", async () => {
  await using vault = await tampered(({ inside }, mask) =>
    inside.query("UPDATE maskline.vault SET key_id = e'\\x1b[2J\\n' WHERE mask = $1", [mask])
  );
  await refuses(vault, /to a vault key with an invalid id, expected/);
});

Deno.test("reveal refuses all when the private key is another key with the same id", async () => {
  await using vault = await tampered(async () => {});
  const { settings } = await createTestKeys();
  const { VAULT_PRIVATE_KEY } = settings;
  const { code, out, err } = await vault.run(["reveal", "device_id", vault.mask, ...WHY], {
    settings: { VAULT_PRIVATE_KEY },
  });
  deepStrictEqual([code, out], [1, ""]);
  match(err, /The vault key v1 does not open the sealed value: it was sealed to another key/);
});

// ── Another client seals its own value with the vault's public key, and it opens ─────────────────

/** Stores a value under a mask that is not its own, as a client with access to the vault's table can. */
function poison(): Promise<TestVault & { mask: string; good: string }> {
  return tampered(async ({ inside, keys }, mask) => {
    await inside.query("DELETE FROM maskline.vault WHERE mask = $1", [mask]);
    await insertOriginals(inside, keys, [{ field: "device_id", original: "zq7-poison", mask }]);
  });
}

Deno.test("reveal refuses a value of another mask when MASK_KEY is set", async () => {
  await using vault = await poison();
  await refuses(vault, /It opens, but MASK_KEY computes another mask of it: /);
});

Deno.test("reveal prints a value of another mask when MASK_KEY is not set", async () => {
  await using vault = await poison();
  const settings = { MASK_KEY: "" };
  const ended = await vault.run(["reveal", "device_id", vault.mask, ...WHY], { settings });
  deepStrictEqual(ended, { code: 0, out: "zq7-poison\n", err: "" });
});

Deno.test("reveal reports what it did not compare when MASK_KEY lacks the mask's key", async () => {
  await using vault = await poison();
  const { MASK_KEY } = (await createTestKeys("k2")).settings;
  const { code, out, err } = await vault.run(["reveal", "device_id", vault.mask, ...WHY], {
    settings: { MASK_KEY },
  });
  deepStrictEqual([code, out], [0, "zq7-poison\n"]);
  strictEqual(err, "Not compared with their masks, because MASK_KEY does not have the keys k1\n");
});

Deno.test("reveal refuses a value of another mask when its key is not the first of MASK_KEY", async () => {
  await using vault = await poison();
  const newer = await createTestKeys("k2");
  const MASK_KEY = `${newer.settings.MASK_KEY},${vault.keys.settings.MASK_KEY}`;
  await refuses(vault, /MASK_KEY computes another mask of it/, { MASK_KEY });
});

Deno.test("reveal refuses all, and names the possible cause, when MASK_PEPPER is another", async () => {
  await using vault = await tampered(async () => {});
  const MASK_PEPPER = textOf((await createTestKeys("p1")).maskKey);
  const { code, out, err } = await vault.run(["reveal", "device_id", vault.mask, ...WHY], {
    settings: { MASK_PEPPER },
  });
  deepStrictEqual([code, out], [1, ""]);
  match(err, /or MASK_KEY or MASK_PEPPER is not the one that computed the mask\n$/);
});
