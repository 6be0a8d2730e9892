import { login } from "../event/login.ts";
import { type Arguments, type Command, exit, type Io, UsageError } from "./command.ts";
import { type Databases, withDatabases } from "./with_databases.ts";
import { justificationFlags, readJustification } from "./deed_flags.ts";
import { toMaskedTable } from "./masked_table_of.ts";
import { escapeJson } from "./printable_json.ts";
import { rotateMasks } from "./rotate/rotate_masks.ts";
import { rotationStatus } from "./rotate/rotate_status.ts";
import { leftToDo, statusText } from "./rotate/rotate_status_text.ts";
import { rotateVault } from "./rotate/rotate_vault.ts";
import type { Rotation } from "./rotate/rotation.ts";

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
