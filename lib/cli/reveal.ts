import { recordBeforeShowing } from "../custody/audit.ts";
import { createMaskCheck, type Opened, openOriginals } from "../custody/reveal.ts";
import { isMask, readKeyId } from "../mask/mask.ts";
import { createKeyChain } from "../vault/open.ts";
import { withVault } from "../worker/databases.ts";
import { type Command, exit, type Io, UsageError } from "./command.ts";
import { justificationFlags, readJustification } from "./justification_flags.ts";
import { personalField, personalFields } from "./personal_field.ts";
import { escapeJson, escapeText } from "./terminal/escape.ts";

/** Masks at once. To note 10,000 took 0.7 s, measured, of the 15 s that a statement has by default. */
const MAX_MASKS = 20_000;

/** Masks that are fetched and opened before any of them is printed. A guess: far below a megabyte. */
const MASKS_PER_PAGE = 500;

/** `maskline reveal FIELD MASK` */
export const reveal: Command = {
  usage: "reveal FIELD MASK|--stdin --reason TEXT [--ticket ID] [--json]",
  help: `
Prints the original of a mask. FIELD is ${personalFields}. Needs VAULT_PRIVATE_KEY, and
VAULT_DATABASE_URL or else DATABASE_URL. Who asked for which mask and why is noted in the audit first:
where that fails, nothing is printed.

Where MASK_KEY is set and has the key of the mask, the mask is made anew from the original, and an
original with another mask is refused. Without it, a value that somebody with access to the vault's
table sealed and put there themselves cannot be told from an original.

  --stdin        masks from standard input, one a line, up to ${MAX_MASKS}; prints MASK, a tab and the
                 original, each mask once
  --reason TEXT  why; 1 to 1000 characters, kept in the audit
  --ticket ID    where that is written down; up to 100 characters, kept in the audit
  --json         an object a line: field, mask, original

Control and format characters in an original are printed as \\u{…}, and a backslash as two; --json
gives the exact text. Exit status 1 where an original is not kept or does not open.

  maskline reveal ip k1.1XVdq7vFqWLDeZtYzzCCfzFdt4ywEHiaMIbHjM9ZLhc --reason 'asked by the user'
  maskline reveal ip --stdin --reason 'court order' --ticket LAW-12 < masks.txt`,
  options: { ...justificationFlags, stdin: { type: "boolean" }, json: { type: "boolean" } },
  words: [1, 2],
  async run(io, { flags, words: [name = "", word] }) {
    const field = personalField(name).name;
    const why = readJustification(io, flags);
    if ((word === undefined) !== Boolean(flags["stdin"])) {
      throw new UsageError("Wanted one of both: MASK, or --stdin");
    }
    if (word !== undefined && !isMask(word)) {
      throw new UsageError(
        "MASK: wanted a mask, as in the table: k1.… with 43 characters after the dot",
      );
    }
    const masks = word === undefined ? parseMasks(await io.input()) : [word];
    return await withVault(io, ["VAULT_PRIVATE_KEY"], async ({ settings, vault }) => {
      const { VAULT_PRIVATE_KEY = [], MASK_KEY } = settings;
      const keys = createKeyChain(VAULT_PRIVATE_KEY);
      if (masks.length === 0) io.err("No mask stands on standard input\n");
      const subjects = masks.map((mask) => ({ field, mask }));
      if (subjects.length > 0) {
        await recordBeforeShowing(vault, { action: "reveal", subjects, ...why });
      }
      if (MASK_KEY) reportUnchecked(io, masks, MASK_KEY.map(({ id }) => id));
      const options = { vault, field, keys, check: createMaskCheck(settings, field) };
      const missing: string[] = [];
      let status: number = exit.done;
      for (let from = 0; from < masks.length; from += MASKS_PER_PAGE) {
        if (io.signal.aborted) {
          io.err(`Stopped after ${from} of ${masks.length} masks\n`);
          status = exit.failed;
          break;
        }
        for (
          const opened of await openOriginals(masks.slice(from, from + MASKS_PER_PAGE), options)
        ) {
          if (opened.is === "original") io.out(formatOriginal(opened, field, flags));
          else status = exit.failed;
          if (opened.is === "missing") missing.push(opened.mask);
          if (opened.is === "refused") io.err(formatRefusal(opened, field));
        }
      }
      reportMissing(io, missing, masks.length);
      return status;
    });
  },
};

/** @throws {UsageError} a line is no mask, or there are too many; what stands there is not repeated */
function parseMasks(text: string): string[] {
  const masks = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    const mask = line.trim();
    if (mask === "") continue;
    if (!isMask(mask)) throw new UsageError(`Line ${index + 1} of standard input is not a mask`);
    masks.add(mask);
  }
  if (masks.size <= MAX_MASKS) return [...masks];
  throw new UsageError(`${masks.size} masks are there, wanted at most ${MAX_MASKS} at a time`);
}

function formatOriginal(
  { mask, original }: Extract<Opened, { is: "original" }>,
  field: string,
  flags: Readonly<Record<string, unknown>>,
): string {
  if (flags["json"]) return `${escapeJson({ field, mask, original })}\n`;
  return `${flags["stdin"] ? `${mask}\t` : ""}${escapeText(original)}\n`;
}

function formatRefusal({ mask, why }: Extract<Opened, { is: "refused" }>, field: string): string {
  // The cause may name the key id of the row, which is whatever stands there.
  return `The original of ${field} ${mask} is not shown. ${escapeText(why)}\n`;
}

function reportUnchecked(io: Io, masks: readonly string[], known: readonly string[]): void {
  const others = new Set(masks.map(readKeyId).filter((id) => !known.includes(id)));
  if (others.size === 0) return;
  io.err(
    `Not compared with their masks, since MASK_KEY lacks their key: ${[...others].join(", ")}\n`,
  );
}

function reportMissing(io: Io, missing: readonly string[], asked: number): void {
  if (missing.length === 0) return;
  io.err(`No original is kept for ${missing.length} of ${asked} masks:\n`);
  io.err(missing.map((mask) => `  ${mask}\n`).join(""));
}
