import type { Settings } from "./read_settings.ts";
import { type Row, settings } from "./settings.ts";

/** What a setting may be, in words: `1 to 10000 rows`, `on or off`. */
export function describeRange(row: Row): string {
  switch (row.kind) {
    case "url":
      return `URL (${row.protocols.map((protocol) => `${protocol}//`).join(", ")})`;
    case "keys":
      return row.atMost === 1 ? "key" : `1 to ${row.atMost} keys`;
    case "choice":
      return row.choices.join(", ");
    case "address":
      return "host:port, off";
    case "text":
      return `${row.min} to ${row.max} characters`;
    case "integer":
      return `${row.min} to ${row.max} ${row.unit}`;
  }
}

/** The settings' table in Markdown, as the README shows it. */
export function settingsMarkdown(): string {
  const rows = Object.entries<Row>(settings).map(([name, row]) => {
    const fallback = "default" in row ? `\`${row.default}\`` : "";
    const file = row.secret ? ` (or \`${name}_FILE\`)` : "";
    return `| \`${name}\`${file} | ${describeRange(row)} | ${fallback} | ${row.about} |`;
  });
  return ["| name | values | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The settings' table for a terminal. */
export function settingsHelp(): string {
  return Object.entries<Row>(settings).map(([name, row]) => {
    const fallback = "default" in row ? `, default ${row.default}` : "";
    return `  ${name}${row.secret ? `, ${name}_FILE` : ""}\n      ${row.about}\n      ${
      describeRange(row)
    }${fallback}`;
  }).join("\n");
}

/**
 * The settings as a log line may show them: secrets are left out but for the ids of keys, and a URL
 * keeps its host and path only, since user names, passwords and queries may be secret too.
 */
export function redactSettings(values: Settings): Record<string, string | number> {
  const shown: Record<string, string | number> = {};
  for (const [name, row] of Object.entries<Row>(settings)) {
    const value: unknown = values[name as keyof Settings];
    if (value === undefined) continue;
    if (value instanceof URL) shown[name] = `${value.protocol}//${value.host}${value.pathname}`;
    else if (row.kind === "keys") {
      shown[name] = (value as { id: string }[]).map((key) => `${key.id}:…`).join(",");
    } else if (typeof value === "number" || typeof value === "string") shown[name] = value;
    else {
      const { hostname, port } = value as { hostname: string; port: number };
      shown[name] = `${hostname}:${port}`;
    }
  }
  return shown;
}
