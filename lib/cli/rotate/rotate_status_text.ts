import { escapeText } from "../printable.ts";
import type { RotationStatus } from "./rotate_status.ts";
import { formatCount } from "../thousands.ts";

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
