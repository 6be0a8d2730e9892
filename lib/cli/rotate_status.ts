import type { RotationStatus } from "../custody/rotate/status.ts";
import { escapeJson, escapeText } from "./terminal/escape.ts";
import { formatCount } from "./terminal/format.ts";

/** Formats the status as a table, and what is left to do in words. */
export function formatStatus(status: RotationStatus): string {
  const lines = [
    ...status.rows.map(({ field, key, rows }) =>
      formatLine(rows, `rows, ${field}`, describeMaskKey(key))
    ),
    ...status.vault.map(({ field, mask_key, vault_key, entries }) =>
      formatLine(
        entries,
        `vault entries, ${field}`,
        `${describeMaskKey(mask_key)}, vault key ${vault_key}`,
      )
    ),
    ...status.rejected.map(({ vault_key, bodies }) =>
      formatLine(bodies, "rejected bodies", `vault key ${vault_key}`)
    ),
  ];
  return [...lines, ...listRemaining(status)].map((text) => `${text}\n`).join("");
}

function describeMaskKey(key: string | null): string {
  return key === null ? "not a mask of Maskline" : `mask key ${key}`;
}

function formatLine(count: number, what: string, key: string): string {
  return `${formatCount(count).padStart(13)}  ${escapeText(what)}: ${escapeText(key)}`;
}

/** Formats the status as one line of JSON. */
export function formatStatusJson(status: RotationStatus): string {
  const { maskKeys, vaultKey, isRotating, rows, vault, rejected } = status;
  const json = {
    mask_keys: maskKeys,
    vault_key: vaultKey,
    in_progress: isRotating,
    rows: rows.map(({ field, key, rows: count, withoutOriginal }) => ({
      field,
      mask_key: key,
      rows: count,
      without_original: withoutOriginal,
    })),
    vault,
    rejected,
    left_to_do: listRemaining(status),
  };
  return `${escapeJson(json)}\n`;
}

/** Lists what is left to do, a sentence each; never empty. */
function listRemaining(status: RotationStatus): string[] {
  const { maskKeys: [first = "", ...others], vaultKey, isRotating, rows, vault, rejected } = status;
  const known = new Set([first, ...others]);
  const isOld = (key: string | null) => key !== null && key !== first && known.has(key);
  const remaining: string[] = [];
  const oldRows = sum(
    rows.filter(({ key }) => isOld(key)),
    (row) => row.rows - row.withoutOriginal,
  );
  const oldEntries = sum(vault.filter(({ mask_key: key }) => isOld(key)), ({ entries }) => entries);
  if (oldRows > 0 || oldEntries > 0) {
    remaining.push(
      `\`maskline rotate run\` has ${formatCount(oldEntries)} entries and ` +
        `${formatCount(oldRows)} masks in rows to move to ${first}`,
    );
  }
  if (isRotating) {
    remaining.push("A rotation of the mask key has begun: run it again until it ends");
  }
  const lost = sum(rows, ({ withoutOriginal }) => withoutOriginal);
  if (lost > 0) {
    remaining.push(
      `${
        formatCount(lost)
      } masks in rows keep their old key: their originals are not in the vault ` +
        "(forgotten, or stored with VAULT=off)",
    );
  }
  for (const key of findUnknownKeys(rows, vault, known)) {
    remaining.push(
      `The mask key ${
        escapeText(key)
      } is not in MASK_KEY: the masks that it computed stay unchanged`,
    );
  }
  const sealed = sum(vault.filter((row) => row.vault_key !== vaultKey), ({ entries }) => entries) +
    sum(rejected.filter((row) => row.vault_key !== vaultKey), ({ bodies }) => bodies);
  if (vaultKey !== null && sealed > 0) {
    remaining.push(
      `\`maskline rotate run --vault\` has ${
        formatCount(sealed)
      } sealed values to move to ${vaultKey}`,
    );
  }
  return remaining.length > 0 ? remaining : ["Nothing is left to rotate"];
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}

function findUnknownKeys(
  rows: RotationStatus["rows"],
  vault: RotationStatus["vault"],
  known: ReadonlySet<string>,
): string[] {
  const found = [...rows.map(({ key }) => key), ...vault.map(({ mask_key }) => mask_key)];
  return [...new Set(found)].flatMap((key) => key === null || known.has(key) ? [] : [key]).sort();
}
