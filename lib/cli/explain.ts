import { readSettings } from "../config/read_settings.ts";
import type { Field, Rule } from "../contract/contract.ts";
import { decode } from "../contract/decode.ts";
import { reasons } from "../contract/reasons.ts";
import { createMasker } from "../mask/mask.ts";
import { formatUtcDate } from "../pipeline/transform.ts";
import { checkDedupeField, selectContract } from "../worker/contract.ts";
import { createMaskerOptions } from "../worker/keys.ts";
import { type Command, exit } from "./command.ts";

/** `maskline explain` */
export const explain: Command = {
  usage: "explain",
  help: `
Reads one message from standard input and shows every rule, and the row that it would make. Values of
personal fields are shown as masks only, and only where MASK_KEY is set. Writes nothing anywhere.
Exits with 1 where the message would be set aside.

  maskline explain < message.json`,
  async run(io) {
    const settings = readSettings(io.source, [], checkDedupeField);
    const contract = selectContract(settings);
    const body = await io.input();
    const event = decode(contract, body);
    if (event.kind === "rejection") {
      const where = event.field ? ` (${event.field})` : "";
      io.out(`set aside: ${event.reason}${where}: ${reasons[event.reason]}\n`);
      const field = contract.fields.find(({ name }) => name === event.field);
      if (field) io.out(`wanted:    ${describeField(field)}\n`);
      else if (event.field) io.out(`wanted:    ${KEY_RULE}\n`);
      return exit.failed;
    }
    const personal = contract.fields.filter((field) => field.personal).map(({ name }) => name);
    const masker = settings.MASK_KEY
      ? await createMasker(createMaskerOptions(settings.MASK_KEY, personal, settings))
      : undefined;
    for (const [index, field] of contract.fields.entries()) {
      const value = event.values[index] ?? null;
      const shown = !field.personal || typeof value !== "string"
        ? JSON.stringify(value)
        : await masker?.mask(field.name, value) ?? "(a mask; set MASK_KEY to see it)";
      io.out(
        `${field.name.padEnd(12)} ok  ${describeField(field)}\n${
          "".padEnd(16)
        }→ ${field.column.name} = ${shown}\n`,
      );
    }
    if (contract.dedupeField !== undefined) {
      io.out(`${contract.dedupeField.padEnd(12)} ok  ${KEY_RULE}\n`);
      io.out(`${"".padEnd(16)}→ the event is known as ${JSON.stringify(event.key)}\n`);
    }
    io.out(
      `time sent    →   ${contract.sentDate.name} = the UTC date on which it was sent; today ${
        formatUtcDate(Date.now())
      }\n`,
    );
    if (event.unknownFields > 0) io.out(`${event.unknownFields} unknown keys are ignored\n`);
    return exit.done;
  },
};

/** What `readKey` takes. */
const KEY_RULE = "a string of 1 to 128 characters, or a whole number";

function describeField({ rule, personal, optional }: Field): string {
  return [describeRule(rule), personal ? "personal" : "", optional ? "or null, or absent" : ""]
    .filter(Boolean).join(", ");
}

function describeRule(rule: Rule): string {
  switch (rule.kind) {
    case "text":
      return `a string of ${rule.min} to ${rule.max} characters` +
        (rule.normalize ? ", trimmed, in NFC" : "");
    case "ip_address":
      return "an IPv4 or IPv6 address, made canonical";
    case "app_version":
      return "one to four numbers with dots, packed as major·10⁶ + minor·10³ + patch";
  }
}
