/** Formats a count with separators: `12,345`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}

/** Formats a count with its noun: `1 row`, `2 rows`. */
export function formatNoun(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Formats rows as columns for a terminal, under the names of the columns. */
export function formatTable(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => names.map((name) => String(row[name] ?? "—")));
  const widths = names.map((name, column) =>
    Math.max(name.length, ...cells.map((line) => line[column]?.length ?? 0))
  );
  const line = (parts: readonly string[]) =>
    "  " + parts.map((part, column) => part.padEnd(widths[column] ?? 0)).join("  ").trimEnd() +
    "\n";
  return line(names) + line(widths.map((width) => "─".repeat(width))) + cells.map(line).join("");
}
