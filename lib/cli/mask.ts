import { reasons } from "../contract/reasons.ts";
import { maskValue } from "../custody/mask.ts";
import { type Command, exit } from "./command.ts";
import {
  findPersonalField,
  JUSTIFICATION_HELP,
  justificationFlags,
  personalFields,
  readOptionalJustification,
} from "./flags.ts";

/** `maskline mask FIELD` */
export const maskCommand: Command = {
  usage: "mask FIELD [--reason TEXT] [--ticket ID]",
  help: `
Prints the mask of the value on standard input, computed by the first key of MASK_KEY, so that the rows of
a known value can be found. FIELD is ${personalFields}. The value is read from standard input, because
every user of the machine can see an argument list.

A person who can ask for masks can find out whose they are. So if VAULT_DATABASE_URL or DATABASE_URL is set,
the audit log records first which person asked for which mask. If that fails, nothing is printed.

${JUSTIFICATION_HELP}

  maskline mask ip < address.txt`,
  options: justificationFlags,
  words: [1, 1],
  async run(io, { flags, words: [word = ""] }) {
    const field = findPersonalField(word);
    const justification = readOptionalJustification(io, flags);
    // The line's end is the shell's, not the value's.
    const input = async () => (await io.input()).replace(/\r?\n$/, "");
    const result = await maskValue(io.source, field, input, justification);
    if (result.mask === undefined) {
      const why = reasons[result.reason];
      io.err(`The value on standard input has no mask in the field ${field.name}: ${why}\n`);
      return exit.failed;
    }
    if (!result.isRecorded && (justification.reason ?? justification.ticket)) {
      io.err("Not recorded: neither VAULT_DATABASE_URL nor DATABASE_URL is set\n");
    }
    io.out(`${result.mask}\n`);
    return exit.done;
  },
};
