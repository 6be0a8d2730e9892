/**
 * Every setting: its name, its type, its default and its explanation. `--help`, the documentation, the checks
 * and the permissions of the binary come from this list.
 *
 * @module
 */
import type { NamedKey } from "../base/named_key.ts";

interface Common {
  /** Explains the setting for `--help` and the documentation, in one or two sentences. */
  readonly about: string;
  /** Whether the value is never shown. It may then come from the file at the path in `<name>_FILE`. */
  readonly secret?: true;
}

/** One setting: its allowed values and its default. */
export type Row =
  & Common
  & (
    | { readonly kind: "url"; readonly protocols: readonly string[] }
    | { readonly kind: "keys"; readonly atMost: number }
    | { readonly kind: "choice"; readonly choices: readonly string[]; readonly default: string }
    | { readonly kind: "address"; readonly default: string }
    /** Any text with a length in characters (code points). No default. */
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

/** The type of a row's parsed value. */
export type ValueOf<R extends Row> = R extends { kind: "url" } ? URL | undefined
  : R extends { kind: "keys" } ? readonly [NamedKey, ...NamedKey[]] | undefined
  : R extends { kind: "choice"; choices: readonly (infer C)[] } ? C
  : R extends { kind: "address" } ? Address | "off"
  : R extends { kind: "text" } ? string | undefined
  : number;

/**
 * Every setting of Maskline, one row each. The parser, the error texts, `--help`, the table in the
 * documentation, the redacted start-up line and the permissions of the binary all use this table.
 *
 * The numeric defaults were measured with `deno task bench` or are AWS limits, unless stated otherwise.
 */
export const settings = {
  SQS_QUEUE_URL: {
    kind: "url",
    protocols: ["https:", "http:"],
    about: "The SQS queue to receive messages from",
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
      "The Postgres database. TLS with a verified certificate is required unless the host is loopback or sslmode sets another mode",
  },
  MASK_KEY: {
    kind: "keys",
    atMost: 8,
    secret: true,
    about:
      "Mask keys, `k1:<base64 of 32 bytes>`, separated by commas. The first key computes new masks",
  },
  MASK_PEPPER: {
    kind: "keys",
    atMost: 1,
    secret: true,
    about:
      "A second secret for masks, `p1:<base64 of 32 bytes>`, stored apart from MASK_KEY. One of them alone is useless to an attacker. Another pepper results in other masks",
  },
  VAULT_PUBLIC_KEY: {
    kind: "keys",
    atMost: 1,
    about: "The vault's public key, `v1:<base64 of 32 bytes>`. Required unless VAULT=off",
  },
  VAULT_PRIVATE_KEY: {
    kind: "keys",
    atMost: 8,
    secret: true,
    about:
      "The vault's private key, `v1:<base64 of 32 bytes>`. Only the commands that open originals need it. Never store it on the worker's machine",
  },
  VAULT_DATABASE_URL: {
    kind: "url",
    protocols: ["postgres:", "postgresql:"],
    secret: true,
    about: "A separate Postgres database for the vault and the audit log. Default: DATABASE_URL",
  },
  VAULT: {
    kind: "choice",
    choices: ["on", "off"],
    default: "on",
    about: "`off` seals nothing and requires REJECTED_TO=queue",
  },
  REJECTED_TO: {
    kind: "choice",
    choices: ["table", "queue"],
    default: "table",
    about:
      "Destination of rejected messages: the table `maskline.rejected`, sealed, or the queue of SQS_DLQ_URL",
  },
  SQS_DLQ_URL: {
    kind: "url",
    protocols: ["https:", "http:"],
    about: "The queue for rejected messages. Required when REJECTED_TO=queue",
  },
  DEDUPE_FIELD: {
    kind: "text",
    min: 1,
    max: 128,
    about:
      "A field of the body that identifies an event, so that an event resent under a new message id is a duplicate. It is stored in clear text and must not be personal",
  },
  HTTP_ADDRESS: {
    kind: "address",
    default: "127.0.0.1:8080",
    about: "The address at which `run` serves /healthz and /books; `off` disables both",
  },
  BATCH_ROWS: {
    kind: "integer",
    unit: "rows",
    min: 1,
    max: 10_000,
    default: 500,
    about: "A batch commits when it has this many rows",
  },
  BATCH_MILLISECONDS: {
    kind: "integer",
    unit: "ms",
    min: 1,
    max: 60_000,
    default: 200,
    about: "A batch also commits when its first row has waited this long",
  },
  MAX_IN_FLIGHT: {
    kind: "integer",
    unit: "messages",
    min: 10,
    max: 120_000,
    default: 4_000,
    about:
      "Maximum number of messages in flight. No receive starts beyond it (SQS allows 120,000 per queue)",
  },
  MAX_POLLERS: {
    kind: "integer",
    unit: "receives",
    min: 1,
    max: 100,
    default: 8,
    about:
      "Maximum number of parallel receives while the queue is full. A single receive runs while it is empty",
  },
  MAX_MESSAGES_PER_SECOND: {
    kind: "integer",
    unit: "messages/s",
    min: 0,
    max: 1_000_000,
    default: 0,
    about: "Maximum rate of receiving; 0 means no limit",
  },
  DATABASE_CONNECTIONS: {
    kind: "integer",
    unit: "connections",
    min: 1,
    max: 64,
    default: 2,
    about: "Number of batches that commit in parallel",
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
    about:
      "Time after SIGTERM to finish the messages in flight. The remaining messages are then released",
  },
  LOG_LEVEL: {
    kind: "choice",
    choices: ["debug", "info", "warning", "error"],
    default: "info",
    about: "The lowest level that is logged",
  },
  LOG_FORMAT: {
    kind: "choice",
    choices: ["auto", "json", "text"],
    default: "auto",
    about: "`auto` writes text to a terminal and JSON lines elsewhere",
  },
} as const satisfies Record<string, Row>;

/** The name of a setting. */
export type SettingName = keyof typeof settings;
