import { classifySqlstate } from "./sqlstate.ts";
import { StoreError } from "./store.ts";

/** Tells what the driver threw in the words of the seam, without a value in them. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof Deno.errors.NotCapable) {
    return new StoreError(
      "fatal",
      "not_permitted",
      "This binary was not made for that database host",
    );
  }
  const { code, message, severity, where } = error as Readonly<Record<string, unknown>>;
  // Only what Postgres itself says has a severity; EPIPE would pass for an SQLSTATE otherwise.
  if (typeof severity === "string" && typeof code === "string") {
    const text = namesOnly(code, where) ? `: ${String(message)}` : "";
    return new StoreError(
      classifySqlstate(code),
      code,
      `Postgres refused with SQLSTATE ${code}${text}`,
    );
  }
  if (message === "The server does not support SSL connections") {
    return new StoreError(
      "fatal",
      "no_tls",
      "Postgres offers no TLS; where the network is trusted, say sslmode=disable in DATABASE_URL",
    );
  }
  // The driver's own failures have no code or the network's (ECONNREFUSED, ETIMEDOUT, …).
  const reason = typeof code === "string" ? code : "connection_lost";
  const kind = BAD_CERTIFICATE.has(reason) ? "fatal" : "transient";
  return new StoreError(kind, reason, `Postgres did not answer: ${reason}`);
}

/**
 * Whether a text of Postgres may be shown. Those of these classes arise before any parameter is looked
 * at, so they name tables, columns and users; all others may quote the row. So may one from inside of a
 * function, whatever its class: a trigger raises what it likes.
 */
function namesOnly(code: string, where: unknown): boolean {
  return where === undefined && /^(?:28|3D|3F|42)/.test(code);
}

/** TLS failures of a certificate: no retry mends them, and going on without TLS is no choice. */
const BAD_CERTIFICATE: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
