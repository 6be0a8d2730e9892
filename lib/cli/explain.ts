import { readSettings, type Settings } from "../config/read_settings.ts";
import type { Contract, Field, Rule } from "../contract/contract.ts";
import { decode, type Event, type Rejection } from "../contract/decode.ts";
import { reasons } from "../contract/reasons.ts";
import { formatUtcDate } from "../pipeline/transform.ts";
import { checkDedupeField, listPersonalFields, selectContract } from "../worker/contract.ts";
import { openMasker } from "../worker/keys.ts";
import { type Command, exit } from "./command.ts";

/** `maskline explain` */
export const explain: Command = {
  usage: "explain",
  help: `
Reads one message from standard input and prints every rule and the row that it would become. Values of
personal fields are printed as masks only, and only if MASK_KEY is set. It writes nothing anywhere.
Exit status 1 if the message would be rejected.

  maskline explain < message.json`,
  async run(io) {
    const settings = readSettings(io.source, [], checkDedupeField);
    const contract = selectContract(settings);
    const event = decode(contract, await io.input());
    if (event.kind === "rejection") {
      io.out(describeRejection(contract, event));
      return exit.failed;
    }
    io.out(await describeEvent(contract, event, settings));
    return exit.done;
  },
};

function describeRejection(contract: Contract, { reason, field: name }: Rejection): string {
  const where = name ? ` (${name})` : "";
  const field = contract.fields.find((candidate) => candidate.name === name);
  const expected = field ? describeField(field) : name ? KEY_RULE : undefined;
  return `rejected: ${reason}${where}: ${reasons[reason]}\n` +
    (expected ? `expected: ${expected}\n` : "");
}

async function describeEvent(
  contract: Contract,
  { values, key, unknownFields }: Event,
  settings: Settings,
): Promise<string> {
  const masker = settings.MASK_KEY
    ? await openMasker(settings, listPersonalFields(contract))
    : undefined;
  const lines = contract.fields.map((field, index) => {
    const value = values[index] ?? null;
    const shown = !field.personal || typeof value !== "string"
      ? JSON.stringify(value)
      : masker?.mask(field.name, value) ?? "(a mask; set MASK_KEY to see it)";
    return describeLine(field.name, describeField(field), `${field.column.name} = ${shown}`);
  });
  if (contract.dedupeField !== undefined) {
    lines.push(describeLine(contract.dedupeField, KEY_RULE, `key = ${JSON.stringify(key)}`));
  }
  const today = formatUtcDate(Date.now());
  lines.push(
    `time sent    →   ${contract.sentDate.name} = the UTC date on which it was sent; today ${today}\n`,
  );
  if (unknownFields > 0) lines.push(`${unknownFields} unknown keys are ignored\n`);
  return lines.join("");
}

function describeLine(name: string, rule: string, result: string): string {
  return `${name.padEnd(12)} ok  ${rule}\n${"".padEnd(16)}→ ${result}\n`;
}

/** What `readKey` accepts. */
const KEY_RULE = "a string of 1 to 128 characters, or a whole number";

function describeField({ rule, personal, optional }: Field): string {
  return [
    describeRule(rule),
    personal ? "personal" : "",
    optional ? "or empty, null or absent" : "",
  ]
    .filter(Boolean).join(", ");
}

function describeRule(rule: Rule): string {
  switch (rule.kind) {
    case "text":
      return `a string of ${rule.min} to ${rule.max} characters` +
        (rule.normalize ? ", trimmed, in NFC" : "");
    case "ip_address":
      return "an IPv4 or IPv6 address, in canonical form";
    case "app_version":
      return "one to four numbers with dots, packed as major·10⁶ + minor·10³ + patch";
  }
}
