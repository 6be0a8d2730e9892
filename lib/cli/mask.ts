import { readSettings } from "../config/read_settings.ts";
import { readValue } from "../contract/read_value.ts";
import { reasons } from "../contract/reasons.ts";
import { recordBeforeShowing } from "../custody/audit.ts";
import { createMasker } from "../mask/mask.ts";
import { withVault } from "../worker/databases.ts";
import { createMaskerOptions } from "../worker/keys.ts";
import { type Command, exit } from "./command.ts";
import { justificationFlags, readOptionalJustification } from "./justification_flags.ts";
import { personalField, personalFields } from "./personal_field.ts";

/** `maskline mask FIELD` */
export const maskCommand: Command = {
  usage: "mask FIELD [--reason TEXT] [--ticket ID]",
  help: `
Prints the mask of the value on standard input, as the first key of MASK_KEY makes it, so that a known
value can be looked for in the table. FIELD is ${personalFields}. The value is read from standard input
since an argument list is visible to everybody on the machine.

Whoever can ask for masks can guess who is behind them. So where VAULT_DATABASE_URL or DATABASE_URL is
set, who asked for which mask is noted in the audit first; where that fails, nothing is printed.

  --reason TEXT  why; 1 to 1000 characters, kept in the audit
  --ticket ID    where that is written down; up to 100 characters, kept in the audit

  maskline mask ip < address.txt`,
  options: justificationFlags,
  words: [1, 1],
  async run(io, { flags, words: [word = ""] }) {
    const { name, rule } = personalField(word);
    const why = readOptionalJustification(io, flags);
    const settings = readSettings(io.source, ["MASK_KEY"]);
    const { MASK_KEY, VAULT_DATABASE_URL, DATABASE_URL } = settings;
    if (!MASK_KEY) return exit.wrongUsage;
    // The line's end is the shell's, not the value's.
    const canonical = readValue(rule, (await io.input()).replace(/\r?\n$/, ""));
    if (typeof canonical !== "string") {
      const what = typeof canonical === "object" ? reasons[canonical.reason] : "It is not text";
      io.err(`The value on standard input has no mask in the field ${name}: ${what}\n`);
      return exit.failed;
    }
    const masker = await createMasker(createMaskerOptions(MASK_KEY, [name], settings));
    const mask = await masker.mask(name, canonical);
    if (VAULT_DATABASE_URL ?? DATABASE_URL) {
      const deed = { action: "mask", subjects: [{ field: name, mask }], ...why } as const;
      await withVault(io, [], ({ vault }) => recordBeforeShowing(vault, deed));
    } else if (why.reason ?? why.ticket) {
      io.err("Not noted: neither VAULT_DATABASE_URL nor DATABASE_URL is set\n");
    }
    io.out(`${mask}\n`);
    return exit.done;
  },
};
