import { generateVaultKeys } from "../../lib/vault/suite.ts";
import { createLogins, type Logins, type Role } from "./logins.ts";
import { type Ended, type MasklineProcess, runMaskline, startMaskline } from "./maskline.ts";
import type { PostgresServer } from "./postgres_server.ts";
import type { QueueServer, TestQueue } from "./queue_server.ts";
import { createMigratedDatabase } from "./template.ts";
import type { TestDatabase } from "./test_database.ts";

/** A queue, a database, keys and their settings: everything that a test of the whole worker needs. */
export interface Line extends AsyncDisposable {
  readonly queue: TestQueue;
  readonly database: TestDatabase;
  /** The environment of a worker, a `maskline_writer`. A test may change it before it starts a worker. */
  readonly env: Record<string, string>;
  /** The environment of the database's owner. */
  readonly ownerEnv: Readonly<Record<string, string>>;
  /**
   * Returns the environment of an analyst, or of a custodian, which has the vault's private key.
   *
   * @throws {Error} the database was left empty
   */
  as(role: Exclude<Role, "writer">): Record<string, string>;
  readonly maskKey: Uint8Array;
  readonly vaultPrivateKey: { readonly id: string; readonly bytes: Uint8Array<ArrayBuffer> };
  /** Runs `maskline drain --json` to its end. */
  drain(env?: Readonly<Record<string, string>>): Promise<DrainEnded>;
  /** Starts `maskline run`. */
  start(env?: Readonly<Record<string, string>>): MasklineProcess;
  /** Counts rows, rejections and ledger entries. */
  count(): Promise<{ rows: number; rejected: number; ledger: number }>;
}

/** How a drain ended, with its books. */
export interface DrainEnded extends Ended {
  readonly books: {
    received: number;
    committed: number;
    duplicate: number;
    rejected: number;
    released: number;
    seconds: number;
  };
}

/** Options of {@linkcode createLine}. */
export interface LineOptions {
  readonly postgres: PostgresServer;
  readonly queues: QueueServer;
  readonly queueAttributes?: Readonly<Record<string, string>>;
  /** Leave the database empty, and run the worker as its owner. */
  readonly unmigrated?: boolean;
}

/** Creates a line with fresh keys, on a copy of the migrated template. */
export async function createLine(options: LineOptions): Promise<Line> {
  const { postgres, queues } = options;
  const queue = await queues.createQueue(undefined, options.queueAttributes);
  const database = options.unmigrated
    ? await postgres.createDatabase("line")
    : await createMigratedDatabase(postgres, "line");
  const maskKey = crypto.getRandomValues(new Uint8Array(32));
  const vault = await generateVaultKeys();
  const env: Record<string, string> = {
    SQS_QUEUE_URL: queue.url,
    DATABASE_URL: database.url,
    MASK_KEY: `k1:${maskKey.toBase64()}`,
    VAULT_PUBLIC_KEY: `v1:${vault.publicKey.toBase64()}`,
    HTTP_ADDRESS: "off",
    ...awsVariables(queues.endpoint),
  };
  const ownerEnv = { ...env };
  let logins: Logins | undefined;
  if (!options.unmigrated) {
    logins = await createLogins(postgres, database);
    env["DATABASE_URL"] = logins.url("writer");
  }
  return {
    queue,
    database,
    env,
    ownerEnv,
    as(role) {
      if (!logins) throw new Error("There are no roles in an empty database");
      const url = logins.url(role);
      if (role === "reader") return { DATABASE_URL: url };
      const key = `v1:${vault.privateKey.toBase64()}`;
      return { ...ownerEnv, DATABASE_URL: url, VAULT_PRIVATE_KEY: key };
    },
    maskKey,
    vaultPrivateKey: { id: "v1", bytes: vault.privateKey },
    async drain(more = {}) {
      const ended = await runMaskline(["drain", "--json"], { env: { ...env, ...more } });
      if (!ended.out.startsWith("{")) throw new Error(`drain printed no books:\n${ended.err}`);
      return { ...ended, books: JSON.parse(ended.out) };
    },
    start: (more = {}) => startMaskline(["run"], { env: { ...env, ...more } }),
    async count() {
      const [counts] = await database.query<Record<string, string>>(
        `SELECT (SELECT count(*) FROM user_logins) AS rows,
          (SELECT count(*) FROM maskline.rejected) AS rejected,
          (SELECT count(*) FROM maskline.ledger) AS ledger`,
      );
      const number = (name: string) => Number(counts?.[name]);
      return { rows: number("rows"), rejected: number("rejected"), ledger: number("ledger") };
    },
    async [Symbol.asyncDispose]() {
      await database.drop();
      await logins?.[Symbol.asyncDispose]();
    },
  };
}

/** Returns the AWS settings for an emulator, which accepts any credentials. */
export function awsVariables(endpoint: string): Record<string, string> {
  return {
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_SQS: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  };
}

/** Waits for a process and fails with its output unless it exited with 0. */
export async function expectDone(ending: Promise<Ended>): Promise<Ended> {
  const ended = await ending;
  if (ended.code !== 0) throw new Error(`Exit status ${ended.code}:\n${ended.out}${ended.err}`);
  return ended;
}
