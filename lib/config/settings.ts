import type { NamedKey } from "../base/named_key.ts";

interface Common {
  /** One sentence for people: what it means, with the default's reason where it is not plain. */
  readonly about: string;
  /** The value is shown nowhere, and may come from the file that `<name>_FILE` names. */
  readonly secret?: true;
}

/** One setting: what it may be, and what it is when nothing is said. */
export type Row =
  & Common
  & (
    | { readonly kind: "url"; readonly protocols: readonly string[] }
    | { readonly kind: "keys"; readonly atMost: number }
    | { readonly kind: "choice"; readonly choices: readonly string[]; readonly default: string }
    | { readonly kind: "address"; readonly default: string }
    /** Any text of so many characters (code points); nothing by default. */
    | { readonly kind: "text"; readonly min: number; readonly max: number }
    | {
      readonly kind: "integer";
      readonly unit: string;
      readonly min: number;
      readonly max: number;
      readonly default: number;
    }
  );

/** A host and a port to listen on. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** The type of a row's value once it is read. */
export type ValueOf<R extends Row> = R extends { kind: "url" } ? URL | undefined
  : R extends { kind: "keys" } ? readonly [NamedKey, ...NamedKey[]] | undefined
  : R extends { kind: "choice"; choices: readonly (infer C)[] } ? C
  : R extends { kind: "address" } ? Address | "off"
  : R extends { kind: "text" } ? string | undefined
  : number;

/**
 * Every setting of Maskline, a row each. The parser, the error texts, `--help`, the README's table, the
 * redacted start-up line and the compiled binary's permissions all come from here.
 *
 * Defaults that are guesses say so; the others were measured with `deno task bench` or are AWS limits.
 */
export const settings = {
  SQS_QUEUE_URL: {
    kind: "url",
    protocols: ["https:", "http:"],
    about: "The queue to read from",
  },
  SQS_PROTOCOL: {
    kind: "choice",
    choices: ["json", "query"],
    default: "json",
    about: "`query` is for emulators that do not know AWS's JSON protocol (LocalStack before 3.0)",
  },
  DATABASE_URL: {
    kind: "url",
    protocols: ["postgres:", "postgresql:"],
    secret: true,
    about:
      "Postgres; TLS with a verified certificate unless the host is loopback or sslmode says otherwise",
  },
  MASK_KEY: {
    kind: "keys",
    atMost: 8,
    secret: true,
    about: "Mask keys, `k1:<base64 of 32 bytes>`, with commas between; the first makes new masks",
  },
  MASK_PEPPER: {
    kind: "keys",
    atMost: 1,
    secret: true,
    about:
      "A second secret for masks, `p1:<base64 of 32 bytes>`, held apart from MASK_KEY: who has one of them can guess nothing. Another pepper makes other masks",
  },
  VAULT_PUBLIC_KEY: {
    kind: "keys",
    atMost: 1,
    about: "Public half of the vault's key, `v1:<base64 of 32 bytes>`; wanted unless VAULT=off",
  },
  VAULT_PRIVATE_KEY: {
    kind: "keys",
    atMost: 8,
    secret: true,
    about:
      "Private half, `v1:<base64 of 32 bytes>`; only for the commands that open, and never on the worker's machine",
  },
  VAULT_DATABASE_URL: {
    kind: "url",
    protocols: ["postgres:", "postgresql:"],
    secret: true,
    about: "A Postgres of its own for the vault and the audit; default the one of DATABASE_URL",
  },
  VAULT: {
    kind: "choice",
    choices: ["on", "off"],
    default: "on",
    about: "`off` seals nothing and so needs REJECTED_TO=queue",
  },
  REJECTED_TO: {
    kind: "choice",
    choices: ["table", "queue"],
    default: "table",
    about:
      "Where a message goes that is not an event: `maskline.rejected`, sealed, or the queue of SQS_DLQ_URL",
  },
  SQS_DLQ_URL: {
    kind: "url",
    protocols: ["https:", "http:"],
    about: "The queue for rejected messages; wanted with REJECTED_TO=queue",
  },
  DEDUPE_FIELD: {
    kind: "text",
    min: 1,
    max: 128,
    about:
      "Field of the body that names an event, so that one sent again under a new message id is a duplicate too; kept in clear, so not a personal field",
  },
  HTTP_ADDRESS: {
    kind: "address",
    default: "127.0.0.1:8080",
    about: "Where `run` answers /healthz and /books; `off` for nowhere",
  },
  BATCH_ROWS: {
    kind: "integer",
    unit: "rows",
    min: 1,
    max: 10_000,
    default: 500,
    about: "A batch commits when it has this many",
  },
  BATCH_MILLISECONDS: {
    kind: "integer",
    unit: "ms",
    min: 1,
    max: 60_000,
    default: 200,
    about: "…or when its first row has waited this long",
  },
  MAX_IN_FLIGHT: {
    kind: "integer",
    unit: "messages",
    min: 10,
    max: 120_000,
    default: 4_000,
    about: "Messages held at once; no receive starts beyond (SQS allows 120,000 a queue)",
  },
  MAX_POLLERS: {
    kind: "integer",
    unit: "receives",
    min: 1,
    max: 100,
    default: 8,
    about: "Receives under way at once while the queue is full; one while it is empty",
  },
  MAX_MESSAGES_PER_SECOND: {
    kind: "integer",
    unit: "messages/s",
    min: 0,
    max: 1_000_000,
    default: 0,
    about: "Pace of receiving; 0 is as fast as it goes",
  },
  DATABASE_CONNECTIONS: {
    kind: "integer",
    unit: "connections",
    min: 1,
    max: 64,
    default: 2,
    about: "Batches that commit side by side",
  },
  STATEMENT_SECONDS: {
    kind: "integer",
    unit: "s",
    min: 1,
    max: 600,
    default: 15,
    about:
      "A statement or a connection attempt without an answer for this long counts as an outage",
  },
  STOP_SECONDS: {
    kind: "integer",
    unit: "s",
    min: 1,
    max: 900,
    default: 20,
    about: "After SIGTERM: time to finish what is held, before the rest is released",
  },
  LOG_LEVEL: {
    kind: "choice",
    choices: ["debug", "info", "warning", "error"],
    default: "info",
    about: "The least level that is written",
  },
  LOG_FORMAT: {
    kind: "choice",
    choices: ["auto", "json", "text"],
    default: "auto",
    about: "`auto` is text on a terminal and JSON lines elsewhere",
  },
} as const satisfies Record<string, Row>;

/** The name of a setting. */
export type SettingName = keyof typeof settings;
