import { findNearest } from "../config/read_value.ts";
import type { Field } from "../contract/contract.ts";
import { login } from "../contract/login.ts";
import type { Justification } from "../custody/audit.ts";
import { listPersonalFields } from "../worker/contract.ts";
import { type Arguments, type Io, UsageError } from "./command.ts";

/** The flags that justify an action, for `Command.options`. */
export const justificationFlags = {
  reason: { type: "string" },
  ticket: { type: "string" },
} as const;

/** The help of {@linkcode justificationFlags}. */
export const JUSTIFICATION_HELP = `\
  --reason TEXT  why; 1 to 1000 characters, stored in the audit log
  --ticket ID    where that is documented; up to 100 characters, stored in the audit log`;

/**
 * Reads who runs the command and why: `--reason` with 1 to 1000 characters, and optionally `--ticket` with up to
 * 100. Neither may have control characters or be blank.
 *
 * @throws {UsageError} one is wrong, or there is no reason; the message does not repeat what was typed
 */
export function readJustification(io: Io, flags: Arguments["flags"]): Justification {
  return {
    ...readOptionalJustification(io, flags),
    reason: readText("reason", flags["reason"] ?? "", 1000),
  };
}

/** Reads the same for a command that needs no reason. @throws {UsageError} */
export function readOptionalJustification(
  io: Io,
  { reason, ticket }: Arguments["flags"],
): Justification {
  return {
    osUser: io.user(),
    reason: reason === undefined ? null : readText("reason", reason, 1000),
    ticket: ticket === undefined ? null : readText("ticket", ticket, 100),
  };
}

function readText(name: string, value: string | boolean, max: number): string {
  const text = String(value).trim();
  const characters = [...text].length;
  if (characters >= 1 && characters <= max && !/[\p{Cc}\p{Cs}]/u.test(text)) return text;
  throw new UsageError(
    `--${name}: expected 1 to ${max} characters without control characters, got another text`,
  );
}

/**
 * Reads `--limit`: a whole number from 1 to 10,000, or undefined if it is not given.
 *
 * @throws {UsageError} it is something else
 */
export function readLimit({ limit }: Arguments["flags"]): number | undefined {
  if (limit === undefined) return undefined;
  const number = Number(limit);
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new UsageError("--limit: expected a whole number from 1 to 10000");
  }
  return number;
}

const personal = listPersonalFields(login);

/** The personal fields, in words, for `--help`. */
export const personalFields = personal.join(" or ");

/**
 * Finds the personal field with a name.
 *
 * @throws {UsageError} there is none; with the nearest name, and never what was typed
 */
export function findPersonalField(name: string): Field {
  const field = login.fields.find((candidate) => candidate.personal && candidate.name === name);
  if (field) return field;
  const meant = findNearest(name, personal);
  throw new UsageError(
    meant
      ? `FIELD: expected ${personalFields}; did you mean ${meant}?`
      : `FIELD: expected ${personalFields}`,
  );
}
