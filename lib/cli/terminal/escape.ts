/**
 * Escapes a text for a terminal: control and format characters, line ends included, become `\u{…}`. Producers
 * choose the text of their messages, and a terminal obeys escape sequences and direction marks in it. A
 * backslash is doubled, so that the original can be recovered.
 */
export function escapeText(text: string): string {
  return text.replace(
    /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) =>
      character === "\\" ? "\\\\" : `\\u{${character.codePointAt(0)?.toString(16) ?? ""}}`,
  );
}

/**
 * Formats a value as one line of JSON that is safe for a terminal: the control and format characters that
 * `JSON.stringify` keeps (U+007F to U+009F, direction marks, line separators) become `\uXXXX`. A JSON parser
 * returns the exact value.
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
