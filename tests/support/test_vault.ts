import { main } from "../../lib/cli/main.ts";
import { fakeIo } from "./fake_io.ts";
import {
  createTestKeys,
  insertOriginals,
  type TestKeys,
  type TestOriginal,
} from "./kept_originals.ts";
import type { PostgresServer } from "./postgres_server.ts";
import type { TestDatabase } from "./test_database.ts";
import { createStore } from "./test_store.ts";

/** How a command ended in this process. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A migrated database with a vault, and the commands on it. */
export interface TestVault extends AsyncDisposable {
  readonly inside: TestDatabase;
  readonly keys: TestKeys;
  /** The default settings of the commands: the database and all keys. */
  readonly settings: Readonly<Record<string, string>>;
  /** Seals originals into the vault and returns their masks, in order. */
  insert(originals: readonly TestOriginal[]): Promise<string[]>;
  /** Runs a command line. An empty setting removes the default. */
  run(
    args: readonly string[],
    more?: { stdin?: string; settings?: Readonly<Record<string, string>> },
  ): Promise<Ended>;
  /** Lists the audit log, oldest entry first. */
  listAudit(): Promise<{ action: string; field: string; mask: string; reason: string | null }[]>;
}

/** Creates a database with its own keys. */
export async function createVault(server: PostgresServer): Promise<TestVault> {
  const store = await createStore(server);
  const { inside } = store;
  const keys = await createTestKeys();
  const settings = { DATABASE_URL: inside.url, ...keys.settings };
  return {
    inside,
    keys,
    settings,
    insert: (originals) => insertOriginals(inside, keys, originals),
    async run(args, { stdin = "", settings: more = {} } = {}) {
      const io = fakeIo({ stdin, settings: { ...settings, ...more } });
      const code = await main(args, io);
      return { code, ...io.written };
    },
    listAudit: () =>
      inside.query("SELECT action, field, mask, reason FROM maskline.reveal_audit ORDER BY number"),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
