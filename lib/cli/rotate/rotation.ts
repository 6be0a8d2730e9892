import type { MaskedTable } from "../../store/masked_table.ts";
import type { Database } from "../../store/postgres.ts";
import { lockRotation } from "../../store/sql/lock_rotation.ts";
import type { Io } from "../command.ts";

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
 * @throws {RangeError} another rotation is under way, or this one is to stop
 */
export async function assertLockHeld({ io, database }: Rotation): Promise<void> {
  throwIfStopped(io);
  const [lock] = await database.query<{ held: boolean }>(lockRotation);
  if (!lock?.held) throw new RangeError("Another rotation is under way on this database");
}

/**
 * Ends a long piece of work between two of its parts.
 *
 * @throws {RangeError} the process was told to stop
 */
export function throwIfStopped({ signal }: Io): void {
  if (!signal.aborted) return;
  throw new RangeError("Stopped: what is done stays done, run it again to go on from here");
}
