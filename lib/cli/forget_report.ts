import type { OriginalKey } from "../store/forget.ts";
import type { ForgottenMask } from "../store/forget_mask.ts";
import type { ForgottenUser, MaskOfUser, RowsMode } from "../store/forget_user.ts";
import { exit, type Io } from "./command.ts";

/** Says what became of one mask, and gives the exit status: `failed` where there was no original. */
export function reportMask(
  io: Io,
  { field, mask }: OriginalKey,
  { kept, rows, users }: ForgottenMask,
  dryRun: boolean,
): number {
  io.out(`${field} ${mask} ${kept ? "is removed" : "has no original"}\n`);
  const whose = users === null ? "" : ` of ${counted(users, "user")}`;
  io.out(
    `${counted(rows, "row")}${whose} ${rows === 1 ? "has" : "have"} the mask and ${stay(rows)}\n`,
  );
  io.err(dryRun ? NOTHING_CHANGED : unreached(rows > 0));
  return kept ? exit.done : exit.failed;
}

/** Says what became of a person, and gives the exit status: `failed` where there was nobody. */
export function reportUser(io: Io, user: ForgottenUser, mode: RowsMode, dryRun: boolean): number {
  if (user.rows === 0 && user.masks.length === 0) {
    io.err(`No row has that person: nothing was changed\n`);
    return exit.failed;
  }
  for (const mask of user.masks) io.out(`${mask.field} ${mask.mask} ${describeFate(mask)}\n`);
  if (user.foreign > 0) {
    io.out(`${counted(user.foreign, "value")} in the masked columns: no masks of Maskline's\n`);
  }
  io.out(`${counted(user.rows, "row")} ${rowsFate(user.rows, mode)}\n`);
  io.err(dryRun ? NOTHING_CHANGED : unreached(mode === "keep"));
  return exit.done;
}

function describeFate({ original, others }: MaskOfUser): string {
  if (original === "removed") return "is removed";
  if (original === "absent") return "has no original";
  return `stays: ${counted(others, "other user")} ${others === 1 ? "has" : "have"} it too`;
}

function rowsFate(rows: number, mode: RowsMode): string {
  if (mode === "keep") return `${stay(rows)}, as ${rows === 1 ? "it is" : "they are"}, with masks`;
  const are = rows === 1 ? "is" : "are";
  return mode === "delete" ? `${are} removed` : `${stay(rows)}, without the person and the masks`;
}

function stay(rows: number): string {
  return rows === 1 ? "stays" : "stay";
}

/** `1 row`, `2 rows` */
function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

const NOTHING_CHANGED = "A dry run: nothing was changed\n";

/** What no command can reach. It is said each time: somebody answers for it to the person. */
function unreached(rowsStay: boolean): string {
  const rows = rowsStay ? "  the rows that stay: their masks can be linked with one another\n" : "";
  return `Not reached:
${rows}  rejected messages, whose sealed bodies nobody can search (maskline rejected list)
  backups of the database, and messages that are still in a queue
  the audit: the removed masks stand there, next to one another
  the ids of events (DEDUPE_FIELD), if they tell of the person
`;
}
