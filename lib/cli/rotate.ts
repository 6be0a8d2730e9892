import { login } from "../contract/login.ts";
import { rotateMasks } from "../custody/rotate/masks.ts";
import type { Rotation } from "../custody/rotate/rotation.ts";
import { type RotationStatus, rotationStatus } from "../custody/rotate/status.ts";
import { rotateVault } from "../custody/rotate/vault.ts";
import { toMaskedTable } from "../worker/contract.ts";
import { type Databases, withDatabases } from "../worker/databases.ts";
import { type Arguments, type Command, exit, type Io, UsageError } from "./command.ts";
import { justificationFlags, readJustification } from "./justification_flags.ts";
import { escapeJson, escapeText } from "./terminal/escape.ts";
import { formatCount } from "./terminal/format.ts";

/** `maskline rotate` */
export const rotate: Command = {
  usage: "rotate status [--json] | rotate run --reason TEXT [--ticket ID] [--vault]",
  help: `
Brings what is stored from old keys to a new one, while workers go on.

A new mask key: put it first, MASK_KEY=k2:…,k1:…, and restart every worker. Then \`rotate run\` opens the
originals with VAULT_PRIVATE_KEY, keeps each under its new mask, changes the rows, and removes the old
entries: the same values stay the same masks, in new and old rows alike. A row whose original is not in the
vault keeps its mask. Needs VAULT_PUBLIC_KEY, and MASK_PEPPER as it is.

A new vault key: restart every worker with VAULT_PUBLIC_KEY=v2:…. Then \`rotate run --vault\` with
VAULT_PRIVATE_KEY=v2:…,v1:… seals every original and every rejected body anew.

Either may be killed at any moment: run it again, and it goes on. Only one runs at a time. It is noted in
the audit before it begins and when it ends. Exit status 1 where something could not be brought to the new
key; it is left as it is.

  --reason TEXT  why; 1 to 1000 characters, kept in the audit
  --ticket ID    where that is written down; up to 100 characters, kept in the audit
  --vault        the vault key instead of the mask key
  --json         status as one JSON object

  maskline rotate status
  maskline rotate run --reason 'yearly change of the mask key'`,
  options: { ...justificationFlags, vault: { type: "boolean" }, json: { type: "boolean" } },
  words: [1, 1],
  async run(io, { flags, words: [verb] }) {
    const given = new Set(Object.keys(flags));
    if (verb === "status" && hasOnly(given, ["json"])) {
      return await withDatabases(io, ["MASK_KEY"], (databases) => status(io, databases, flags));
    }
    if (verb === "run" && hasOnly(given, ["reason", "ticket", "vault"])) {
      const why = readJustification(io, flags);
      const needs = ["VAULT_PUBLIC_KEY", "VAULT_PRIVATE_KEY"] as const;
      if (flags["vault"]) {
        return await withDatabases(
          io,
          needs,
          (databases) => rotateVault(toRotation(io, databases), databases.settings, why),
        );
      }
      return await withDatabases(
        io,
        ["MASK_KEY", ...needs],
        (databases) => rotateMasks(toRotation(io, databases), databases.settings, why),
      );
    }
    throw new UsageError(`Wanted: maskline ${rotate.usage}`);
  },
};

async function status(
  io: Io,
  databases: Databases,
  { json }: Arguments["flags"],
): Promise<number> {
  const found = await rotationStatus(toRotation(io, databases), databases.settings);
  io.out(json ? `${escapeJson(toJson(found))}\n` : statusText(found));
  return exit.done;
}

function toJson(found: Awaited<ReturnType<typeof rotationStatus>>): unknown {
  const { maskKeys, vaultKey, underWay, rows, vault, rejected } = found;
  return {
    mask_keys: maskKeys,
    vault_key: vaultKey,
    under_way: underWay,
    rows: rows.map(({ field, key, rows: count, withoutOriginal }) => ({
      field,
      mask_key: key,
      rows: count,
      without_original: withoutOriginal,
    })),
    vault,
    rejected,
    left_to_do: leftToDo(found),
  };
}

function toRotation(io: Io, { database, vault }: Databases): Rotation {
  return { io, database, vault, table: toMaskedTable(login) };
}

function hasOnly(given: ReadonlySet<string>, allowed: readonly string[]): boolean {
  return [...given].every((name) => allowed.includes(name));
}

/** The status for people: a table, and what is left to do in words. */
export function statusText(status: RotationStatus): string {
  const lines = [
    ...status.rows.map(({ field, key, rows }) =>
      line(rows, `rows, ${field}`, key === null ? "no mask of Maskline" : `mask key ${key}`)
    ),
    ...status.vault.map(({ field, mask_key, vault_key, entries }) => {
      const key = mask_key === null ? "no mask of Maskline" : `mask key ${mask_key}`;
      return line(entries, `vault entries, ${field}`, `${key}, vault key ${vault_key}`);
    }),
    ...status.rejected.map(({ vault_key, bodies }) =>
      line(bodies, "rejected bodies", `vault key ${vault_key}`)
    ),
  ];
  return [...lines, ...leftToDo(status)].map((text) => `${text}\n`).join("");
}

function line(count: number, what: string, key: string): string {
  return `${formatCount(count).padStart(13)}  ${escapeText(what)}: ${escapeText(key)}`;
}

/** What is left to do, a sentence each; never empty. */
export function leftToDo(status: RotationStatus): string[] {
  const { maskKeys: [first = "", ...others], vaultKey, underWay, rows, vault, rejected } = status;
  const known = new Set([first, ...others]);
  const todo: string[] = [];
  const sum = <T>(of: readonly T[], count: (one: T) => number) =>
    of.reduce((total, one) => total + count(one), 0);
  const oldRows = sum(
    rows.filter(({ key }) => key !== null && key !== first && known.has(key)),
    (row) => row.rows - row.withoutOriginal,
  );
  const oldEntries = sum(
    vault.filter(({ mask_key: key }) => key !== null && key !== first && known.has(key)),
    ({ entries }) => entries,
  );
  if (oldRows > 0 || oldEntries > 0) {
    todo.push(
      `\`maskline rotate run\` has ${formatCount(oldEntries)} entries and ${
        formatCount(oldRows)
      } masks in ` +
        `rows to bring to ${first}`,
    );
  }
  if (underWay) {
    todo.push("A rotation of the mask key has begun: run it again until it ends");
  }
  const lost = sum(rows, ({ withoutOriginal }) => withoutOriginal);
  if (lost > 0) {
    todo.push(
      `${
        formatCount(lost)
      } masks in rows keep their old key: their originals are not in the vault ` +
        "(forgotten, or stored with VAULT=off)",
    );
  }
  for (const key of unknownKeys(rows, vault, known)) {
    todo.push(`The mask key ${escapeText(key)} is not in MASK_KEY: what it made stays as it is`);
  }
  const sealed = sum(vault.filter((row) => row.vault_key !== vaultKey), ({ entries }) => entries) +
    sum(rejected.filter((row) => row.vault_key !== vaultKey), ({ bodies }) => bodies);
  if (vaultKey !== null && sealed > 0) {
    todo.push(
      `\`maskline rotate run --vault\` has ${
        formatCount(sealed)
      } sealed values to bring to ${vaultKey}`,
    );
  }
  return todo.length > 0 ? todo : ["Nothing is left to rotate"];
}

function unknownKeys(
  rows: RotationStatus["rows"],
  vault: RotationStatus["vault"],
  known: ReadonlySet<string>,
): string[] {
  const found = [...rows.map(({ key }) => key), ...vault.map(({ mask_key }) => mask_key)];
  return [...new Set(found)].flatMap((key) => key === null || known.has(key) ? [] : [key]).sort();
}
