/**
 * The limit: what receiving, masking, inserting and deleting cost on Deno without anything else. It does
 * not check messages and has no ledger, leases, retries, deadlines or orderly stop. Not for real use.
 *
 * @module
 */
import { createHmac } from "node:crypto";
// @ts-types="@types/pg"
import pg from "pg";
import { createLeanSqs, type LeanMessage } from "./lean_sqs.ts";

/** Maskline's defaults for parallel receives, rows per statement and connections. */
const POLLERS = 8;
const ROWS = 500;
const CONNECTIONS = 2;

const env = (name: string) => Deno.env.get(name) ?? "";
const queueUrl = env("QUEUE_URL");
const sqs = createLeanSqs(env("ENDPOINT"), env("SIGNED") === "1");
const pool = new pg.Pool({ connectionString: env("DATABASE_URL"), max: CONNECTIONS });
const key = new Uint8Array(32).fill(7);

const insert = `INSERT INTO user_logins (user_id, device_type, masked_ip, masked_device_id, locale,
  app_version, create_date) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
  $5::text[], $6::integer[], $7::date[])`;

interface Login {
  readonly user_id: string;
  readonly device_type: string;
  readonly ip: string;
  readonly device_id: string;
  readonly locale: string | null;
  readonly app_version: string;
}

function mask(value: string): string {
  return `k1.${createHmac("sha256", key).update(value).digest("base64url")}`;
}

function appVersion(text: string): number {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return major * 1_000_000 + minor * 1_000 + patch;
}

/** Formats an array for Postgres. The driver's own function processes each value twice. */
function arrayOf(values: readonly (string | null)[]): string {
  const quoted = values.map((value) =>
    value === null
      ? "NULL"
      : /["\\]/.test(value)
      ? `"${value.replace(/["\\]/g, "\\$&")}"`
      : `"${value}"`
  );
  return `{${quoted.join(",")}}`;
}

async function store(messages: readonly LeanMessage[]): Promise<void> {
  const logins = messages.map(({ Body }) => JSON.parse(Body) as Login);
  await pool.query({
    name: "insert",
    text: insert,
    values: [
      arrayOf(logins.map(({ user_id }) => user_id)),
      arrayOf(logins.map(({ device_type }) => device_type)),
      arrayOf(logins.map(({ ip }) => mask(ip))),
      arrayOf(logins.map(({ device_id }) => mask(device_id))),
      arrayOf(logins.map(({ locale }) => locale)),
      `{${logins.map(({ app_version }) => appVersion(app_version)).join(",")}}`,
      arrayOf(
        messages.map(({ Attributes }) =>
          new Date(Number(Attributes.SentTimestamp)).toISOString().slice(0, 10)
        ),
      ),
    ],
  });
  const tens = Array.from(
    { length: Math.ceil(messages.length / 10) },
    (_, index) => messages.slice(index * 10, index * 10 + 10),
  );
  await Promise.all(tens.map((ten) => sqs.delete(queueUrl, ten)));
}

let waiting: LeanMessage[] = [];

async function poll(): Promise<void> {
  for (;;) {
    const messages = await sqs.receive(queueUrl, waiting.length > 0 ? 0 : 20);
    waiting.push(...messages);
    // An empty answer is the end of the queue, so an incomplete batch is stored too.
    if (waiting.length < ROWS && messages.length > 0) continue;
    const full = waiting;
    waiting = [];
    if (full.length > 0) await store(full);
  }
}

await Promise.all(Array.from({ length: POLLERS }, poll));
