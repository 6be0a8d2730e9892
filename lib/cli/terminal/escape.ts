/**
 * A text as a terminal may show it: control and format characters, line ends included, become
 * `\u{…}`, since whoever sends messages chooses them, and a terminal obeys them (escape sequences, text
 * that runs backwards). A backslash is doubled, so that the original can be told from it.
 */
export function escapeText(text: string): string {
  return text.replace(
    /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) =>
      character === "\\" ? "\\\\" : `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
  );
}

/**
 * A value as one line of JSON that a terminal may show: the control and format characters that
 * `JSON.stringify` leaves as they are (U+007F to U+009F, text that runs backwards, line separators)
 * become `\uXXXX`. Whoever reads the JSON gets the value as it is. See `printable.ts`.
 */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    // A character beyond U+FFFF is two units, and JSON escapes each.
    (character) => character.split("").map(escapeUnit).join(""),
  );
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
