import { login } from "../contract/login.ts";
import { readValue } from "../contract/read_value.ts";
import { reasons } from "../contract/reasons.ts";
import {
  type ForgetJustification,
  forgetMask,
  forgetUser,
  type ForgottenMask,
  type ForgottenUser,
  type MaskOfUser,
  type OriginalKey,
  type RowsMode,
} from "../custody/forget.ts";
import { isMask } from "../mask/mask.ts";
import { toMaskedTable } from "../worker/contract.ts";
import { type Databases, withDatabases } from "../worker/databases.ts";
import { type Arguments, type Command, exit, type Io, UsageError } from "./command.ts";
import { justificationFlags, readJustification } from "./justification_flags.ts";
import { personalField, personalFields } from "./personal_field.ts";

const MODES: readonly RowsMode[] = ["keep", "delete", "anonymise"];

/**
 * The least length at which a user's id is looked for in what the audit keeps. A guess: a shorter one
 * stands in the number of a ticket by chance.
 */
const MIN_SEARCHED_ID_CHARACTERS = 4;

const table = toMaskedTable(login);

/** `maskline forget` */
export const forget: Command = {
  usage: "forget --user -|ID [--rows delete|anonymise] | --field FIELD --mask MASK " +
    "--reason TEXT [--ticket ID] [--dry-run]",
  help: `
Removes sealed originals from the vault, for a person who asks to be forgotten. Noted in the audit, with
the masks and without the person, in the same transaction. Where that fails, nothing is changed.

With --user: the originals behind all masks in the person's rows, but for those that rows of others have
too (an office shares an address). The rows stay unless --rows says otherwise, and a person whose rows
stay counts among the others when the next one is forgotten.

  --user -          the person's id, from standard input
  --user ID         the same, but an argument list is visible to everybody on the machine
  --rows delete     remove the person's rows too; \`check --books\` knows of it
  --rows anonymise  keep them for counting, without the person and the masks
  --field FIELD     with --mask: this one original, whoever has it. FIELD is ${personalFields}
  --reason TEXT     why; 1 to 1000 characters, kept in the audit for ever: without the person's id
  --ticket ID       where that is written down; up to 100 characters, kept likewise
  --dry-run         say what would happen and change nothing; the look is noted in the audit

Prints a line for each mask. Exit status 1 when there is nobody or nothing to forget. Reads the whole
table up to three times: where it is large, set STATEMENT_SECONDS. With VAULT_DATABASE_URL the vault
commits first; if the rows then fail, it says so, and running it again does the rest.

What still comes of the person is kept as before, so stop that first. A worker that met a value within
the last 10 minutes does not keep it again before they are over: if somebody else brings it in that
time, the mask is stored and the original is not.

  maskline forget --user - --rows delete --reason 'asked for it' --ticket GDPR-7 < user_id.txt`,
  options: {
    ...justificationFlags,
    user: { type: "string" },
    rows: { type: "string" },
    field: { type: "string" },
    mask: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  async run(io, { flags }) {
    const why = { ...readJustification(io, flags), dryRun: flags["dry-run"] === true };
    if (typeof flags["user"] !== "string") return await runMask(io, flags, why);
    if (flags["field"] !== undefined || flags["mask"] !== undefined) throw new UsageError(EITHER);
    return await runUser(io, flags["user"], readMode(flags), why);
  },
};

const EITHER = "Wanted one of both: --user, or --field and --mask";

async function runMask(
  io: Io,
  flags: Arguments["flags"],
  why: ForgetJustification,
): Promise<number> {
  const { field: name, mask, rows } = flags;
  if (typeof name !== "string" || typeof mask !== "string") throw new UsageError(EITHER);
  if (rows !== undefined) throw new UsageError("--rows goes with --user only");
  const { name: field, column } = personalField(name);
  if (!isMask(mask)) {
    throw new UsageError(
      "--mask: wanted one as in the table: k1.… with 43 characters after the dot",
    );
  }
  return await forgetting(io, async (where) => {
    const result = await forgetMask(where, { field, column }, mask, why);
    return reportMask(io, { field, mask }, result, why.dryRun);
  });
}

async function runUser(
  io: Io,
  flag: string,
  rows: RowsMode,
  why: ForgetJustification,
): Promise<number> {
  const { subject } = table;
  if (!subject) throw new UsageError("--user: the rows of this contract name nobody");
  const user = await readUser(io, flag);
  if (user === null) return exit.failed;
  if ([why.reason, why.ticket].some((text) => text !== null && containsId(text, user))) {
    throw new UsageError(
      "--reason and --ticket: one of them has the person's id, and the audit would keep it for ever",
    );
  }
  return await forgetting(io, async (where) => {
    const result = await forgetUser(where, subject, user, { ...why, rows, isMask });
    return reportUser(io, result, rows, why.dryRun);
  });
}

function forgetting(
  io: Io,
  work: (where: Pick<Databases, "database" | "vault"> & { table: typeof table }) => Promise<number>,
): Promise<number> {
  return withDatabases(io, [], ({ database, vault }) => work({ database, vault, table }));
}

function readMode({ rows = "keep" }: Arguments["flags"]): RowsMode {
  const mode = MODES.find((candidate) => candidate === rows);
  if (mode) return mode;
  throw new UsageError("--rows: wanted delete or anonymise");
}

/** The person's id as the contract has it; null, and people are told why, where it is none. */
async function readUser(io: Io, flag: string): Promise<string | null> {
  const field = login.fields.find(({ name }) => name === login.subject);
  // The line's end is the shell's, not the id's.
  const text = flag === "-" ? (await io.input()).replace(/\r?\n$/, "") : flag;
  const id = field && readValue(field.rule, text);
  if (typeof id === "string") return id;
  const why = typeof id === "object" ? `: ${reasons[id.reason]}` : "";
  io.err(`What was given is not the id of a person${why}\n`);
  return null;
}

/** Whether an id stands in a text, not as a part of a longer word. */
function containsId(text: string, id: string): boolean {
  if ([...id].length < MIN_SEARCHED_ID_CHARACTERS) return false;
  const letter = /[\p{L}\p{N}]/u;
  for (let at = text.indexOf(id); at >= 0; at = text.indexOf(id, at + 1)) {
    const before = text[at - 1] ?? "";
    const after = text[at + id.length] ?? "";
    if (!letter.test(before) && !letter.test(after)) return true;
  }
  return false;
}

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
