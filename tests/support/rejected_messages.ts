import { main } from "../../lib/cli/main.ts";
import type { Settings } from "../../lib/config/read_settings.ts";
import { decode } from "../../lib/contract/decode.ts";
import type { RejectedRow } from "../../lib/store/store.ts";
import { createSealer } from "../../lib/vault/seal.ts";
import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { selectContract } from "../../lib/worker/contract.ts";
import { type FakeIo, fakeIo } from "./fake_io.ts";
import type { PostgresServer } from "./postgres_server.ts";
import { batchOf, createStore, rejectedRow, type TestStore } from "./test_store.ts";

/** A migrated database, keys, and the commands of a custodian on it. */
export interface RejectedMessages extends AsyncDisposable {
  readonly store: TestStore;
  /** The settings of a custodian; a test may change them. */
  readonly settings: Record<string, string>;
  /** Rejects a message as a worker does, with a sealed body and the contract's reason. */
  reject(id: string, body: string, more?: Partial<RejectedRow>): Promise<void>;
  /** Runs a command line of `maskline rejected` in this process. */
  run(args: readonly string[], io?: FakeIo): Promise<{ code: number; out: string; err: string }>;
  /** Creates an {@linkcode FakeIo} with these settings, for a command that a test stops or lets fail. */
  io(more?: Readonly<Record<string, string>>): FakeIo;
}

/** Options of {@linkcode createRejectedMessages}. */
export interface RejectedMessagesOptions {
  /** Field that names an event: `DEDUPE_FIELD`. */
  readonly dedupeField?: string;
}

/** Creates a random key of 32 bytes in the form of a key setting. */
export function randomKey(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64();
}

/** Creates a database with fresh keys. */
export async function createRejectedMessages(
  server: PostgresServer,
  { dedupeField }: RejectedMessagesOptions = {},
): Promise<RejectedMessages> {
  const store = await createStore(server, { dedupe: dedupeField !== undefined, vault: true });
  const keys = await generateVaultKeys();
  const sealer = await createSealer({ id: "v1", bytes: keys.publicKey });
  const contract = selectContract({ DEDUPE_FIELD: dedupeField } as Settings);
  const settings: Record<string, string> = {
    DATABASE_URL: store.inside.url,
    MASK_KEY: `k1:${randomKey()}`,
    VAULT_PUBLIC_KEY: `v1:${keys.publicKey.toBase64()}`,
    VAULT_PRIVATE_KEY: `v1:${keys.privateKey.toBase64()}`,
    ...(dedupeField === undefined ? {} : { DEDUPE_FIELD: dedupeField }),
  };
  const io = (more: Readonly<Record<string, string>> = {}) =>
    fakeIo({ settings: { ...settings, ...more } });
  return {
    store,
    settings,
    async reject(id, body, more = {}) {
      const bytes = (await sealer.startBatch()).seal(body, { field: "rejected", mask: id });
      const event = decode(contract, body);
      const rejection = event.kind === "rejection"
        ? { reason: event.reason, field: event.field }
        : { reason: "store_refused", field: null, storeCode: "23514" };
      const row = rejectedRow(id, { ...rejection, sealed: { bytes, keyId: "v1" }, ...more });
      const dateSent = new Date(row.sentAt).toISOString().slice(0, 10);
      await store.store.commit(batchOf([], [{ ...row, dateSent }]));
    },
    async run(args, given = io()) {
      const code = await main(["rejected", ...args], given);
      return { code, ...given.written };
    },
    io,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** Creates an event of the contract `login`, as a message's body. */
export function loginBody(more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    user_id: "somebody",
    device_type: "android",
    ip: "203.0.113.73",
    device_id: "a-device",
    locale: null,
    app_version: "1.2.3",
    ...more,
  });
}

/** States of a rejection, as {@linkcode stateOf} returns them. */
export const OPEN = { status: "open", sealed: true };
export const REPLAYED = { status: "replayed", sealed: false };
export const DISCARDED = { status: "discarded", sealed: false };

/** Returns, by message id, the status and whether the body is still stored. */
export async function stateOf({ store }: RejectedMessages): Promise<Record<string, unknown>> {
  const rows = await store.inside.query<{ message_id: string }>(
    "SELECT message_id, status, length(sealed) > 0 AS sealed FROM maskline.rejected",
  );
  return Object.fromEntries(rows.map(({ message_id, ...state }) => [message_id, state]));
}

/** Lists the `user_id` of each row, sorted. */
export async function usersOf({ store }: RejectedMessages): Promise<string[]> {
  const rows = await store.inside.query<{ user_id: string }>(
    "SELECT user_id FROM user_logins ORDER BY user_id",
  );
  return rows.map(({ user_id }) => user_id);
}
