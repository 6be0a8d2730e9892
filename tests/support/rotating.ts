import { ok } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { createFastMasker } from "../../lib/mask/fast_mask.ts";
import { createKeyChain } from "../../lib/vault/open.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { fakeIo } from "./fake_io.ts";
import { createTestKeys, type TestKeys, type TestLogin, textOf } from "./kept_originals.ts";
import type { PostgresServer } from "./postgres_server.ts";
import type { TestDatabase } from "./test_database.ts";
import { createStore, type TestStore } from "./test_store.ts";
import type { Ended } from "./test_vault.ts";

/** The command line that rotates. */
export const RUN = ["rotate", "run", "--reason", "yearly"] as const;

/** Two generations of keys: `k1` and `v1`, `k2` and `v2`. */
export interface Generations {
  readonly old: TestKeys;
  readonly new: TestKeys;
}

/** Creates both generations. */
export async function createGenerations(): Promise<Generations> {
  return { old: await createTestKeys("k1", "v1"), new: await createTestKeys("k2", "v2") };
}

/** Returns the settings with which a custodian rotates the mask key. */
export function rotationSettings({ old, new: { maskKey } }: Generations): Record<string, string> {
  return { ...old.settings, MASK_KEY: `${textOf(maskKey)},${textOf(old.maskKey)}` };
}

/** Returns the settings with which a custodian rotates the vault's key. */
export function vaultRotationSettings({ old, new: next }: Generations): Record<string, string> {
  return {
    VAULT_PUBLIC_KEY: textOf(next.publicKey),
    VAULT_PRIVATE_KEY: `${textOf(next.privateKey)},${textOf(old.privateKey)}`,
  };
}

/** Runs a command in this process. */
export async function command(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<Ended> {
  const io = fakeIo({ settings });
  const code = await main(args, io);
  return { code, ...io.written };
}

/** Creates one login for each of `count` users. Nine in ten share an address or a device with others. */
export function sharedLogins(count: number): TestLogin[] {
  return Array.from({ length: count }, (_, index) => {
    const place = index % 10 === 0 ? index : index % 1009;
    const device = index % 10 === 5 ? `zq-device-${index}` : `zq-shared-${index % 2003}`;
    return {
      user: `zq-user-${index}`,
      ip: `198.18.${place >> 8 & 255}.${place & 255}`,
      device,
    };
  });
}

/** A database with logins under the old keys. */
export interface Rotating extends TestStore {
  readonly keys: Generations;
  /** The settings that rotate the mask key. */
  readonly settings: Record<string, string>;
}

/** Creates a database with these logins. */
export async function createRotating(
  server: PostgresServer,
  logins: readonly TestLogin[],
): Promise<Rotating> {
  const store = await createStore(server);
  const keys = await createGenerations();
  await insertShared(store.inside, keys.old, logins);
  const settings = { ...rotationSettings(keys), DATABASE_URL: store.inside.url };
  return { ...store, keys, settings };
}

/** Reads the audit log, oldest entry first. */
export function auditOf(inside: TestDatabase): Promise<Record<string, unknown>[]> {
  return inside.query(
    `SELECT action, field, mask, reason, ticket, os_user, detail
      FROM maskline.reveal_audit ORDER BY number`,
  );
}

/** Fails if the texts contain a user, an address or a device of these logins. */
export function expectNoLogin(...texts: unknown[]): void {
  const text = JSON.stringify(texts);
  ok(!/zq-|198\.18/.test(text), text);
}

/** How many values a data key seals here, about as many as a worker's data key in its ten seconds. */
const SEALED_TOGETHER = 500;

/** Inserts logins into the tables as a worker with the old keys writes them. */
export async function insertShared(
  rows: TestDatabase,
  { maskKey, publicKey }: Pick<TestKeys, "maskKey" | "publicKey">,
  logins: readonly TestLogin[],
  vault: TestDatabase = rows,
): Promise<void> {
  const masker = await createFastMasker({ ring: [maskKey], fields: ["ip", "device_id"] });
  const sealer = await createSealer(publicKey);
  const entries = new Map<string, { field: string; mask: string; original: string }>();
  const masks = logins.map(({ ip, device }) => {
    const masked = { ip: masker.mask("ip", ip), device: masker.mask("device_id", device) };
    entries.set(masked.ip, { field: "ip", mask: masked.ip, original: ip });
    entries.set(masked.device, { field: "device_id", mask: masked.device, original: device });
    return masked;
  });
  const originals = [...entries.values()];
  for (let from = 0; from < originals.length; from += SEALED_TOGETHER) {
    const part = originals.slice(from, from + SEALED_TOGETHER);
    const batch = await sealer.startBatch();
    await vault.query(
      `INSERT INTO maskline.vault (field, mask, sealed, key_id, first_seen, last_seen)
        SELECT field, mask, decode(sealed, 'hex'), $4, current_date - 9, current_date - 1
        FROM unnest($1::text[], $2::text[], $3::text[]) AS original (field, mask, sealed)`,
      [
        part.map(({ field }) => field),
        part.map(({ mask }) => mask),
        part.map(({ field, mask, original }) => batch.seal(original, { field, mask }).toHex()),
        publicKey.id,
      ],
    );
  }
  await rows.query(
    `INSERT INTO user_logins (user_id, device_type, masked_ip, masked_device_id, app_version, create_date)
      SELECT user_id, 'android', ip, device, 1000000, current_date
      FROM unnest($1::text[], $2::text[], $3::text[]) AS login (user_id, ip, device)`,
    [logins.map(({ user }) => user), masks.map(({ ip }) => ip), masks.map((mask) => mask.device)],
  );
}

/** Inserts bodies as rejections, as a worker with these keys writes them. Returns their ids. */
export async function insertBodies(
  rows: TestDatabase,
  { publicKey }: Pick<TestKeys, "publicKey">,
  bodies: readonly string[],
): Promise<string[]> {
  const batch = await (await createSealer(publicKey)).startBatch();
  const ids = bodies.map((_, index) => `message-${publicKey.id}-${index}`);
  await rows.query(
    `INSERT INTO maskline.rejected (message_id, sent_at, receive_count, reason, sealed, key_id)
      SELECT id, now(), 1, 'not_json', decode(sealed, 'hex'), $3
      FROM unnest($1::text[], $2::text[]) AS body (id, sealed)`,
    [
      ids,
      bodies.map((body, index) =>
        batch.seal(body, { field: "rejected", mask: ids[index] ?? "" }).toHex()
      ),
      publicKey.id,
    ],
  );
  return ids;
}

/** Reads all logins from the rows, with their masks opened by the vault. */
export async function openedLogins(
  rows: TestDatabase,
  keys: readonly Pick<TestKeys, "privateKey">[],
  vault: TestDatabase = rows,
): Promise<TestLogin[]> {
  const chain = createKeyChain(keys.map(({ privateKey }) => privateKey));
  const entries = await vault.query<
    { field: string; mask: string; sealed: Uint8Array; key_id: string }
  >("SELECT field, mask, sealed, key_id FROM maskline.vault");
  const originals = new Map<string, string>();
  for (const { field, mask, sealed, key_id } of entries) {
    const original = await chain.open(new Uint8Array(sealed), key_id, { field, mask });
    originals.set(`${field} ${mask}`, original);
  }
  const found = await rows.query<{ user: string; ip: string; device: string }>(
    `SELECT user_id AS user, masked_ip AS ip, masked_device_id AS device FROM user_logins`,
  );
  return found.map(({ user, ip, device }) => ({
    user,
    ip: originals.get(`ip ${ip}`) ?? "not in the vault",
    device: originals.get(`device_id ${device}`) ?? "not in the vault",
  })).sort(byUser);
}

/** Compares logins for the order of {@linkcode openedLogins}. */
export function byUser(a: TestLogin, b: TestLogin): number {
  return a.user < b.user ? -1 : a.user > b.user ? 1 : 0;
}

/** Computes which users share an address, a device or both, as hashes that do not depend on the masks. */
export async function groupsOf(rows: TestDatabase): Promise<unknown> {
  const group = (columns: string) =>
    `(SELECT md5(string_agg(people, '|' ORDER BY people)) FROM (
      SELECT string_agg(user_id, ',' ORDER BY user_id) AS people
      FROM user_logins GROUP BY ${columns}) AS one)`;
  return await rows.query(
    `SELECT ${group("masked_ip")} AS ip, ${group("masked_device_id")} AS device,
      ${group("masked_ip, masked_device_id")} AS pair`,
  );
}

/** Counts the masks in the rows and in the vault by their key, such as `k1`. */
export async function masksByKey(
  rows: TestDatabase,
  vault: TestDatabase = rows,
): Promise<{ rows: Record<string, number>; vault: Record<string, number> }> {
  const count = async (database: TestDatabase, masks: string) => {
    const found = await database.query<{ key: string; count: number }>(
      `SELECT split_part(mask, '.', 1) AS key, count(*)::integer AS count
        FROM (${masks}) AS masks WHERE mask IS NOT NULL GROUP BY 1 ORDER BY 1`,
    );
    return Object.fromEntries(found.map(({ key, count }) => [key, count]));
  };
  return {
    rows: await count(
      rows,
      "SELECT masked_ip AS mask FROM user_logins UNION ALL SELECT masked_device_id FROM user_logins",
    ),
    vault: await count(vault, "SELECT mask FROM maskline.vault"),
  };
}

/** Counts the recorded steps of a rotation. */
export async function stepsIn(rows: TestDatabase): Promise<number> {
  const [steps] = await rows.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM maskline.rotation",
  );
  return steps?.count ?? NaN;
}
