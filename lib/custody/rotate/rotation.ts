import { OperationError } from "../../base/errors.ts";
import type { Io } from "../../cli/command.ts";
import { escapeText } from "../../cli/terminal/escape.ts";
import { formatCount } from "../../cli/terminal/format.ts";
import type { Database } from "../../store/postgres/database.ts";
import { lockRotation } from "../../store/postgres/sql/rotation.ts";
import type { MaskedTable } from "../../store/postgres/target_table.ts";
import { type Justification, recordAudit } from "../audit.ts";

/** What the parts of a rotation work with. */
export interface Rotation {
  readonly io: Io;
  /** The database of the rows and of the steps. */
  readonly database: Database;
  /** The database of the vault: the same one, or another. */
  readonly vault: Database;
  readonly table: MaskedTable;
}

/** The table of the vault, for those that walk it. */
export const VAULT_TABLE = { schema: "maskline", name: "vault" } as const;

/** The table of the rejections. */
export const REJECTED_TABLE = { schema: "maskline", name: "rejected" } as const;

/**
 * Makes sure before each piece of work that this rotation is the only one and that nobody asked it to
 * stop. The lock belongs to the one connection of a command: where that was lost and made anew since the
 * last piece, it is taken again, and another rotation may have got it meanwhile.
 *
 * @throws {OperationError} another rotation is under way, or this one is to stop
 */
export async function assertLockHeld({ io, database }: Rotation): Promise<void> {
  throwIfStopped(io);
  const [lock] = await database.query<{ held: boolean }>(lockRotation);
  if (!lock?.held) throw new OperationError("Another rotation is under way on this database");
}

/**
 * Ends a long piece of work between two of its parts.
 *
 * @throws {OperationError} the process was told to stop
 */
export function throwIfStopped({ signal }: Io): void {
  if (!signal.aborted) return;
  throw new OperationError("Stopped: what is done stays done, run it again to go on from here");
}

/** Why a sealed value cannot be moved to another key. */
export type SkipReason =
  | "unknown mask key"
  | "unknown vault key"
  | "does not open"
  | "another mask"
  | "no mask";

const SENTENCES: Readonly<Record<SkipReason, (id: string) => string>> = {
  "unknown mask key": (id) => `have masks of the key ${id}, which is not in MASK_KEY`,
  "unknown vault key": (id) =>
    `are sealed for the vault key ${id}, which is not in VAULT_PRIVATE_KEY`,
  "does not open": (id) =>
    `do not open with the vault key ${id}: they were changed, or VAULT_PRIVATE_KEY has another key of ` +
    "that name",
  "another mask": (id) =>
    `open, but the key ${id} makes another mask of them: somebody put them there, or MASK_KEY or ` +
    "MASK_PEPPER is not the one of then",
  "no mask": () => "stand under what is no mask of a personal field",
};

/** Counts what is left alone, by reason and key; never a value. */
export class SkippedEntries {
  readonly #counts = new Map<string, number>();

  /** @param id of the key that the reason speaks of */
  add(why: SkipReason, id = ""): void {
    const sentence = SENTENCES[why](escapeText(id));
    this.#counts.set(sentence, (this.#counts.get(sentence) ?? 0) + 1);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** A line a reason. @param what `vault entries` or the like */
  lines(what: string): string[] {
    return [...this.#counts].map(([sentence, count]) =>
      `Left alone: ${formatCount(count)} ${what} that ${sentence}\n`
    );
  }
}

/** Notes in the audit how far a rotation is. It is about no value in particular. @throws {StoreError} */
export async function recordRotation(
  { vault }: Rotation,
  why: Justification,
  detail: string,
): Promise<void> {
  const subjects = [{ field: null, mask: null }];
  await recordAudit(vault, { action: "rotate", subjects, ...why, detail });
}
