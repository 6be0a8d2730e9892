import { reveal as revealMasks, type Revealed } from "../custody/reveal.ts";
import { isMask, readKeyId } from "../mask/mask.ts";
import { withDatabases } from "../worker/databases.ts";
import { type Arguments, type Command, exit, type Io, UsageError } from "./command.ts";
import {
  findPersonalField,
  JUSTIFICATION_HELP,
  justificationFlags,
  personalFields,
  readJustification,
} from "./flags.ts";
import { escapeJson, escapeText } from "./terminal/escape.ts";

/** The most masks in one command. Recording 10,000 took 0.7 s, measured; a statement has 15 s by default. */
const MAX_MASKS = 20_000;

/** `maskline reveal FIELD MASK` */
export const reveal: Command = {
  usage: "reveal FIELD MASK|--stdin --reason TEXT [--ticket ID] [--json]",
  help: `
Prints the original of a mask. FIELD is ${personalFields}. Needs VAULT_PRIVATE_KEY, and
VAULT_DATABASE_URL or else DATABASE_URL. The audit log records first which person asked for which mask and
why. If that fails, nothing is printed.

If MASK_KEY is set and has the key of the mask, the mask is computed again from the original, and an
original with another mask is refused. Without it, a value that a client with access to the vault's table
sealed and stored there cannot be distinguished from an original.

  --stdin        masks from standard input, one on each line, up to ${MAX_MASKS}; prints MASK, a tab and
                 the original, each mask once
${JUSTIFICATION_HELP}
  --json         one object on each line: field, mask, original

Control and format characters in an original are printed as \\u{…}, and a backslash as two; --json prints
the exact text. Exit status 1 if an original is not in the vault or does not open.

  maskline reveal ip k1.1XVdq7vFqWLDeZtYzzCCfzFdt4ywEHiaMIbHjM9ZLhc --reason 'asked by the user'
  maskline reveal ip --stdin --reason 'court order' --ticket LAW-12 < masks.txt`,
  options: { ...justificationFlags, stdin: { type: "boolean" }, json: { type: "boolean" } },
  words: [1, 2],
  async run(io, { flags, words: [name = "", word] }) {
    const field = findPersonalField(name).name;
    const justification = readJustification(io, flags);
    const masks = await readMasks(io, flags, word);
    const needs = { uses: "vault", settings: ["VAULT_PRIVATE_KEY"] } as const;
    return await withDatabases(io.source, needs, async (databases) => {
      if (masks.length === 0) io.err("Standard input has no mask\n");
      const missing: string[] = [];
      let shown = 0;
      let status: number = exit.done;
      for await (const page of revealMasks(databases, field, masks, justification)) {
        if (io.signal.aborted) {
          io.err(`Stopped after ${shown} of ${masks.length} masks\n`);
          status = exit.failed;
          break;
        }
        if (shown === 0) reportUnchecked(io, masks, databases.settings.MASK_KEY);
        for (const result of page) {
          if (result.is === "original") io.out(formatOriginal(result, field, flags));
          else status = exit.failed;
          if (result.is === "missing") missing.push(result.mask);
          if (result.is === "refused") io.err(formatRefusal(result, field));
        }
        shown += page.length;
      }
      reportMissing(io, missing, masks.length);
      return status;
    });
  },
};

/** @throws {UsageError} a mask is wrong, or there are too many; the message does not repeat what was typed */
async function readMasks(
  io: Io,
  flags: Arguments["flags"],
  word: string | undefined,
): Promise<readonly string[]> {
  if ((word === undefined) !== Boolean(flags["stdin"])) {
    throw new UsageError("Expected either MASK or --stdin");
  }
  if (word === undefined) return parseMasks(await io.input());
  if (isMask(word)) return [word];
  throw new UsageError(
    "MASK: expected a mask as in the table: k1.… with 43 characters after the dot",
  );
}

function parseMasks(text: string): string[] {
  const masks = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    const mask = line.trim();
    if (mask === "") continue;
    if (!isMask(mask)) throw new UsageError(`Line ${index + 1} of standard input is not a mask`);
    masks.add(mask);
  }
  if (masks.size <= MAX_MASKS) return [...masks];
  throw new UsageError(`Standard input: expected at most ${MAX_MASKS} masks, got ${masks.size}`);
}

function formatOriginal(
  { mask, original }: Extract<Revealed, { is: "original" }>,
  field: string,
  flags: Arguments["flags"],
): string {
  if (flags["json"]) return `${escapeJson({ field, mask, original })}\n`;
  return `${flags["stdin"] ? `${mask}\t` : ""}${escapeText(original)}\n`;
}

function formatRefusal({ mask, why }: Extract<Revealed, { is: "refused" }>, field: string): string {
  // The cause may contain the key id of the row, which can be any text.
  return `The original of ${field} ${mask} is not shown. ${escapeText(why)}\n`;
}

function reportUnchecked(
  io: Io,
  masks: readonly string[],
  ring: readonly { readonly id: string }[] | undefined,
): void {
  if (!ring) return;
  const known = new Set(ring.map(({ id }) => id));
  const others = new Set(masks.map(readKeyId).filter((id) => !known.has(id)));
  if (others.size === 0) return;
  io.err(
    `Not compared with their masks, because MASK_KEY does not have the keys ${
      [...others].join(", ")
    }\n`,
  );
}

function reportMissing(io: Io, missing: readonly string[], asked: number): void {
  if (missing.length === 0) return;
  io.err(`The vault has no original for ${missing.length} of ${asked} masks:\n`);
  io.err(missing.map((mask) => `  ${mask}\n`).join(""));
}
