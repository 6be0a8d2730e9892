import type { Justification } from "../custody/audit.ts";
import { type Arguments, type Io, UsageError } from "./command.ts";

/** The flags that say why something is done, for `Command.options`. */
export const justificationFlags = {
  reason: { type: "string" },
  ticket: { type: "string" },
} as const;

/**
 * Who runs the command and why: `--reason`, 1 to 1000 characters, and `--ticket`, 1 to 100 or none;
 * without control characters, and with more than white space in them.
 *
 * @throws {UsageError} one is not so, or there is no reason; what was typed is not repeated
 */
export function readJustification(io: Io, flags: Arguments["flags"]): Justification {
  return {
    ...readOptionalJustification(io, flags),
    reason: readOne("reason", flags["reason"] ?? "", 1000),
  };
}

/** The same where a reason need not be given. @throws {UsageError} */
export function readOptionalJustification(
  io: Io,
  { reason, ticket }: Arguments["flags"],
): Justification {
  return {
    osUser: io.user(),
    reason: reason === undefined ? null : readOne("reason", reason, 1000),
    ticket: ticket === undefined ? null : readOne("ticket", ticket, 100),
  };
}

function readOne(name: string, value: string | boolean, max: number): string {
  const text = String(value).trim();
  const characters = [...text].length;
  if (characters >= 1 && characters <= max && !/[\p{Cc}\p{Cs}]/u.test(text)) return text;
  throw new UsageError(
    `--${name}: wanted 1 to ${max} characters, none of them a control character`,
  );
}
