import type { Settings } from "./read_settings.ts";
import { type Row, settings } from "./settings.ts";

/** Describes the allowed values of a setting: `1 to 10000 rows`, `on, off`. */
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

/** Formats the settings as a Markdown table for the documentation. */
export function formatSettingsMarkdown(): string {
  const rows = Object.entries<Row>(settings).map(([name, row]) => {
    const fallback = "default" in row ? `\`${row.default}\`` : "";
    const file = row.secret ? ` (or \`${name}_FILE\`)` : "";
    return `| \`${name}\`${file} | ${describeRange(row)} | ${fallback} | ${row.about} |`;
  });
  return ["| name | values | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** Formats the settings for a terminal. */
export function formatSettingsHelp(): string {
  return Object.entries<Row>(settings).map(([name, row]) => {
    const fallback = "default" in row ? `, default ${row.default}` : "";
    return `  ${name}${row.secret ? `, ${name}_FILE` : ""}\n      ${row.about}\n      ${
      describeRange(row)
    }${fallback}`;
  }).join("\n");
}

/**
 * Formats the settings for a log line without secrets. A key is reduced to its id. A URL is reduced to its
 * protocol, host and path, because user names, passwords and queries can be secret.
 */
export function redactSettings(values: Settings): Record<string, string | number> {
  const redacted: Record<string, string | number> = {};
  for (const [name, row] of Object.entries<Row>(settings)) {
    const value: unknown = values[name as keyof Settings];
    if (value === undefined) continue;
    if (value instanceof URL) redacted[name] = `${value.protocol}//${value.host}${value.pathname}`;
    else if (row.kind === "keys") {
      redacted[name] = (value as { id: string }[]).map((key) => `${key.id}:…`).join(",");
    } else if (typeof value === "number" || typeof value === "string") redacted[name] = value;
    else {
      const { hostname, port } = value as { hostname: string; port: number };
      redacted[name] = `${hostname}:${port}`;
    }
  }
  return redacted;
}
