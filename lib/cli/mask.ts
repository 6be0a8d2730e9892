import { readSettings } from "../config/read_settings.ts";
import { nearest } from "../config/read_value.ts";
import { login } from "../event/login.ts";
import { readValue } from "../event/read_value.ts";
import { reasons } from "../event/reasons.ts";
import { createMasker } from "../mask/mask.ts";
import { maskerOptionsOf } from "./masker_options_of.ts";
import { type Command, exit, UsageError } from "./command.ts";

const personal = login.fields.filter((field) => field.personal);
const names = personal.map(({ name }) => name);

/** `maskline mask FIELD` */
export const maskCommand: Command = {
  usage: "mask FIELD",
  help: `
Prints the mask of the value on standard input, as the first key of MASK_KEY makes it, so that a known
value can be looked for in the table. FIELD is ${
    names.join(" or ")
  }. The value is read from standard input
since an argument list is visible to everybody on the machine.

  maskline mask ip < address.txt`,
  words: [1, 1],
  async run(io, { words: [name = ""] }) {
    const field = personal.find((candidate) => candidate.name === name);
    if (!field) {
      const meant = nearest(name, names);
      throw new UsageError(
        meant ? `FIELD: did you mean ${meant}?` : `FIELD: wanted ${names.join(" or ")}`,
      );
    }
    const settings = readSettings(io.source, ["MASK_KEY"]);
    const { MASK_KEY } = settings;
    if (!MASK_KEY) return exit.wrongUsage;
    // The line's end is the shell's, not the value's.
    const canonical = readValue(field.rule, (await io.input()).replace(/\r?\n$/, ""));
    if (typeof canonical !== "string") {
      const why = typeof canonical === "object" ? reasons[canonical.reason] : "It is not text";
      io.err(`The value on standard input has no mask in the field ${name}: ${why}\n`);
      return exit.failed;
    }
    const masker = await createMasker(maskerOptionsOf(MASK_KEY, [name], settings));
    io.out(`${await masker.mask(name, canonical)}\n`);
    return exit.done;
  },
};
