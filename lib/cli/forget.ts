import { login } from "../contract/login.ts";
import { readValue } from "../contract/read_value.ts";
import { reasons } from "../contract/reasons.ts";
import {
  forgetMask,
  type ForgetOptions,
  forgetUser,
  type ForgottenMask,
  type ForgottenUser,
  type MaskOfUser,
  type RowsMode,
} from "../custody/forget.ts";
import { isMask } from "../mask/mask.ts";
import type { MaskedValue } from "../store/row_store.ts";
import { withDatabases } from "../worker/databases.ts";
import { type Arguments, type Command, exit, type Io, UsageError } from "./command.ts";
import {
  findPersonalField,
  justificationFlags,
  personalFields,
  readJustification,
} from "./flags.ts";
import { formatNoun } from "./terminal/format.ts";

const MODES: readonly RowsMode[] = ["keep", "delete", "anonymise"];

/**
 * The shortest id that is searched for in the reason and the ticket. An estimate, not measured: a shorter one is
 * part of a ticket's number by chance.
 */
const MIN_SEARCHED_ID_CHARACTERS = 4;

/** `maskline forget` */
export const forget: Command = {
  usage: "forget --user -|ID [--rows delete|anonymise] | --field FIELD --mask MASK " +
    "--reason TEXT [--ticket ID] [--dry-run]",
  help: `
Removes sealed originals from the vault, for a person who asks to be forgotten. It is recorded in the audit
log in the same transaction, with the masks and without the person. If that fails, nothing is changed.

With --user it removes the originals behind all masks in the person's rows, except those that rows of other
people have too (an office shares an address). The rows stay unless --rows says otherwise. A person whose
rows stay counts among the other people when the next person is forgotten.

  --user -          the person's id, from standard input
  --user ID         the same, but every user of the machine can see an argument list
  --rows delete     delete the person's rows too; \`check --books\` takes them into account
  --rows anonymise  keep them for counting, without the person and the masks
  --field FIELD     with --mask: this one original, of any person. FIELD is ${personalFields}
  --reason TEXT     why; 1 to 1000 characters, stored in the audit log indefinitely: without the person's id
  --ticket ID       where that is documented; up to 100 characters, stored likewise
  --dry-run         print what would change, and change nothing; this is recorded in the audit log

Prints a line for each mask. Exit status 1 if there is no such person or original. It reads the whole table
up to three times: if the table is large, raise STATEMENT_SECONDS. With VAULT_DATABASE_URL the vault commits
first. If the rows then fail, it reports that, and running it again does the rest.

New messages of the person are stored as before, so stop them first. A worker that received a value within
the last 10 minutes does not seal it again within that time: if another person has the value then, the mask
is stored and the original is not.

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
    const options = { ...readJustification(io, flags), dryRun: flags["dry-run"] === true };
    if (typeof flags["user"] !== "string") return await runMask(io, flags, options);
    if (flags["field"] !== undefined || flags["mask"] !== undefined) throw new UsageError(EITHER);
    return await runUser(io, flags["user"], readMode(flags), options);
  },
};

const EITHER = "Expected either --user, or --field and --mask";

async function runMask(
  io: Io,
  { field: name, mask, rows }: Arguments["flags"],
  options: ForgetOptions,
): Promise<number> {
  if (typeof name !== "string" || typeof mask !== "string") throw new UsageError(EITHER);
  if (rows !== undefined) throw new UsageError("--rows: is only allowed with --user");
  const value = { field: findPersonalField(name).name, mask };
  if (!isMask(mask)) {
    throw new UsageError(
      "--mask: expected a mask as in the table: k1.… with 43 characters after the dot",
    );
  }
  return await withDatabases(io.source, {}, async (databases) => {
    const result = await forgetMask(databases, value, options);
    return reportMask(io, value, result, options.dryRun);
  });
}

async function runUser(
  io: Io,
  flag: string,
  rows: RowsMode,
  options: ForgetOptions,
): Promise<number> {
  const user = await readUser(io, flag);
  if (user === null) return exit.failed;
  if ([options.reason, options.ticket].some((text) => text !== null && containsId(text, user))) {
    throw new UsageError(
      "--reason and --ticket: expected texts without the person's id, because the audit log stores them " +
        "indefinitely",
    );
  }
  return await withDatabases(io.source, {}, async (databases) => {
    const result = await forgetUser(databases, user, { ...options, rows });
    return reportUser(io, result, rows, options.dryRun);
  });
}

function readMode({ rows = "keep" }: Arguments["flags"]): RowsMode {
  const mode = MODES.find((candidate) => candidate === rows);
  if (mode) return mode;
  throw new UsageError("--rows: expected delete or anonymise");
}

/** Reads the person's id in its canonical form; null, after a message, if it is not an id. */
async function readUser(io: Io, flag: string): Promise<string | null> {
  const field = login.fields.find(({ name }) => name === login.subject);
  // The line's end is the shell's, not the id's.
  const text = flag === "-" ? (await io.input()).replace(/\r?\n$/, "") : flag;
  const id = field && readValue(field.rule, text);
  if (typeof id === "string") return id;
  const why = typeof id === "object" ? `: ${reasons[id.reason]}` : "";
  io.err(`--user: expected the id of a person, got another text${why}\n`);
  return null;
}

/** Returns whether a text contains an id, not as a part of a longer word. */
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

/** Prints the result for one mask, and returns `failed` if there was no original. */
function reportMask(
  io: Io,
  { field, mask }: MaskedValue,
  { hadOriginal: kept, rows, subjects }: ForgottenMask,
  dryRun: boolean,
): number {
  io.out(`${field} ${mask} ${kept ? "is removed" : "has no original"}\n`);
  const whose = subjects === null ? "" : ` of ${formatNoun(subjects, "user")}`;
  const have = rows === 1 ? "has the mask and stays" : "have the mask and stay";
  io.out(`${formatNoun(rows, "row")}${whose} ${have}\n`);
  io.err(dryRun ? NOTHING_CHANGED : describeLimits(rows > 0));
  return kept ? exit.done : exit.failed;
}

/** Prints the result for a person, and returns `failed` if there is no such person. */
function reportUser(io: Io, user: ForgottenUser, mode: RowsMode, dryRun: boolean): number {
  if (user.rows === 0 && user.masks.length === 0) {
    io.err(`No row names that person: nothing was changed\n`);
    return exit.failed;
  }
  for (const mask of user.masks) io.out(`${mask.field} ${mask.mask} ${describeOriginal(mask)}\n`);
  if (user.unmaskedValues > 0) {
    io.out(
      `${formatNoun(user.unmaskedValues, "value")} in the masked columns: not masks of Maskline\n`,
    );
  }
  io.out(`${formatNoun(user.rows, "row")} ${describeRows(user.rows, mode)}\n`);
  io.err(dryRun ? NOTHING_CHANGED : describeLimits(mode === "keep"));
  return exit.done;
}

function describeOriginal({ original, others }: MaskOfUser): string {
  if (original === "removed") return "is removed";
  if (original === "absent") return "has no original";
  return `stays: ${formatNoun(others, "other user")} ${others === 1 ? "has" : "have"} it too`;
}

function describeRows(rows: number, mode: RowsMode): string {
  const one = rows === 1;
  if (mode === "delete") return one ? "is deleted" : "are deleted";
  const stay = one ? "stays" : "stay";
  if (mode === "anonymise") return `${stay}, without the person and the masks`;
  return `${stay} unchanged, with masks`;
}

const NOTHING_CHANGED = "A dry run: nothing was changed\n";

/** Lists what the command cannot reach. It is printed each time, because the operator must answer for it. */
function describeLimits(rowsStay: boolean): string {
  const rows = rowsStay ? "  the rows that stay: their masks can be linked with one another\n" : "";
  return `Not reached:
${rows}  rejected messages: their sealed bodies cannot be searched (maskline rejected list)
  backups of the database, and messages that are still in a queue
  the audit log: it has the removed masks next to one another
  the ids of events (DEDUPE_FIELD), if they identify the person
`;
}
